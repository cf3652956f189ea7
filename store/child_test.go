package store

const childJob = "DOCUSORT_STORE_TEST_CHILD"

func runChild(job string) int { return 0 }
