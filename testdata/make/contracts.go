package main

var serviceContract1 = []row{
	{band, "SERVICE CONTRACT", "page 1 of 3"},
	{gap, "", ""},
	{text, "between Example Lifts Ltd (hereinafter \"the Provider\")", ""},
	{text, "and Sample Towers Ltd (hereinafter \"the Customer\"),", ""},
	{text, "together called the parties.", ""},
	{gap, "", ""},
	{strong, "1. Subject", ""},
	{text, "The Provider services the two lifts at 2 Sample Road", ""},
	{text, "four times a year (spring, summer, autumn, winter).", ""},
	{gap, "", ""},
	{strong, "2. Duties of the Provider", ""},
	{text, "Inspection, lubrication, replacement of worn parts,", ""},
	{text, "and an engineer on site within four hours of a call.", ""},
}

var serviceContract2 = []row{
	{band, "SERVICE CONTRACT", "page 2 of 3"},
	{gap, "", ""},
	{strong, "3. Duties of the Customer", ""},
	{text, "Access to the machine room on working days and a", ""},
	{text, "named person who reports faults.", ""},
	{gap, "", ""},
	{strong, "4. Price", ""},
	{text, "1,800 a year, in four equal parts.", ""},
	{gap, "", ""},
	{strong, "5. Term", ""},
	{text, "This agreement runs for two years from 1 April 2026 and", ""},
	{text, "renews itself unless ended in writing.", ""},
}

var serviceContract3 = []row{
	{band, "SERVICE CONTRACT", "page 3 of 3"},
	{gap, "", ""},
	{strong, "6. Law", ""},
	{text, "The law of the Customer's place of business applies.", ""},
	{gap, "", ""},
	{text, "Signed by the parties in two copies:", ""},
	{gap, "", ""},
	{sign, "Example Lifts Ltd", "Sample Towers Ltd"},
}

var nda = []row{
	{band, "CONFIDENTIALITY AGREEMENT", ""},
	{gap, "", ""},
	{text, "Example Labs Ltd and Sample Works Ltd (hereinafter", ""},
	{text, "\"the parties\") agree as follows.", ""},
	{gap, "", ""},
	{strong, "1. What is secret", ""},
	{text, "Drawings, samples and prices marked as such.", ""},
	{gap, "", ""},
	{strong, "2. For how long", ""},
	{text, "Five years from the last signature.", ""},
}

var lease = []row{
	{band, "LEASE AGREEMENT", ""},
	{gap, "", ""},
	{text, "Example Estates Ltd (hereinafter \"the Landlord\") lets", ""},
	{text, "to Sample Works Ltd (hereinafter \"the Tenant\") the", ""},
	{text, "workshop at 7 Dock Road from 1 May 2026.", ""},
	{gap, "", ""},
	{strong, "Rent", "900.00 a month"},
	{strong, "Deposit", "1,800.00"},
	{gap, "", ""},
	{text, "The parties sign below.", ""},
	{gap, "", ""},
	{sign, "The Landlord", "The Tenant"},
}

var supplyContract = []row{
	{band, "SUPPLY CONTRACT", "2026/9"},
	{gap, "", ""},
	{text, "Example Timber Ltd, hereinafter the Seller,", ""},
	{text, "and Sample Joinery Ltd, hereinafter the Buyer.", ""},
	{gap, "", ""},
	{strong, "1. Goods", ""},
	{text, "Oak boards, 30 mm, 12 cubic metres a quarter.", ""},
	{gap, "", ""},
	{strong, "2. Price", ""},
	{text, "1,150 a cubic metre, delivered.", ""},
	{gap, "", ""},
	{strong, "3. Term", ""},
	{text, "One year. The parties may extend it in writing.", ""},
	{gap, "", ""},
	{sign, "The Seller", "The Buyer"},
	{gap, "", ""},
}

var faxContract = []row{
	{small, "FAX 2026-03-11 09:14", "P. 2/2"},
	{gap, "", ""},
	{loud, "FRAMEWORK CONTRACT", ""},
	{loud, "(continued)", ""},
	{gap, "", ""},
	{text, "7. Neither of the parties may assign this", ""},
	{text, "   agreement without written consent.", ""},
	{text, "8. Changes need the written form.", ""},
	{text, "9. Should a clause be void, the others", ""},
	{text, "   stay in force.", ""},
	{gap, "", ""},
	{sign, "Example Ltd", "Sample Ltd"},
	{gap, "", ""},
}

var rental = []row{
	{band, "RENTAL CONTRACT", "R-5"},
	{gap, "", ""},
	{text, "Example Machines Ltd, hereinafter the Owner,", ""},
	{text, "rents to Sample Works Ltd, hereinafter the", ""},
	{text, "Hirer, one fork-lift truck for six months.", ""},
	{gap, "", ""},
	{strong, "Rent a month", "420.00"},
	{strong, "Deposit", "800.00"},
	{gap, "", ""},
	{text, "Agreed by the parties:", ""},
	{gap, "", ""},
	{sign, "The Owner", "The Hirer"},
	{gap, "", ""},
}

var terms = []row{
	{band, "LICENCE AGREEMENT", "v3"},
	{gap, "", ""},
	{text, "This agreement is made between Example Software Ltd", ""},
	{text, "(hereinafter \"the Licensor\") and Sample Ltd", ""},
	{text, "(hereinafter \"the Licensee\").", ""},
	{gap, "", ""},
	{strong, "1. Grant", ""},
	{text, "Use on ten machines, for as long as the fee is paid.", ""},
	{gap, "", ""},
	{strong, "2. Warranty", ""},
	{text, "None beyond what the law demands.", ""},
}

var terms2 = []row{
	{band, "LICENCE AGREEMENT", "v3"},
	{gap, "", ""},
	{strong, "3. End", ""},
	{text, "Either of the parties may end it at the end of a year.", ""},
	{gap, "", ""},
	{sign, "The Licensor", "The Licensee"},
}
