-- The database of docusort. Times are Unix milliseconds; those of files (modified,
-- changed) are nanoseconds, as the filesystem gives them. File names are bytes,
-- not always UTF-8.

-- A folder that documents were seen in or put into. device and inode say which
-- folder stood at the path; they are 0 where that does not matter.
CREATE TABLE folders (
  id     INTEGER PRIMARY KEY,
  path   TEXT    NOT NULL,
  device INTEGER NOT NULL DEFAULT 0,
  inode  INTEGER NOT NULL DEFAULT 0,
  UNIQUE (path, device, inode)
) STRICT;

-- A set of type codes that the service was asked to choose from: a JSON array,
-- sorted, so that the order in the settings does not matter.
CREATE TABLE option_sets (
  id          INTEGER PRIMARY KEY,
  codes       TEXT    NOT NULL UNIQUE,
  accepted_at INTEGER,                                  -- the service first accepted a document with these
  unnamed     INTEGER NOT NULL DEFAULT 0                -- POSTs in a row that it accepted without naming the job
) STRICT;

-- The types that documents were identified as, so that a row has a small number.
CREATE TABLE types (
  id   INTEGER PRIMARY KEY,
  code TEXT    NOT NULL UNIQUE
) STRICT;

-- Conditions are comparisons: for IN with more than two values SQLite builds a
-- table at each evaluation, and these are evaluated at every change.
CREATE TABLE documents (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  inbox         INTEGER NOT NULL REFERENCES folders (id),
  source        TEXT    NOT NULL CHECK (source <> ''),  -- relative to the inbox
  state         TEXT    NOT NULL CHECK (
                  state = 'waiting' OR state = 'submitting' OR state = 'pending' OR state = 'identified' OR
                  state = 'filed' OR state = 'review' OR state = 'failed' OR state = 'gone'),

  -- The file as it was when it was admitted, or when a person decided its type.
  device        INTEGER NOT NULL,
  inode         INTEGER NOT NULL,
  size          INTEGER NOT NULL,
  modified      INTEGER NOT NULL,
  changed       INTEGER NOT NULL,
  sha256        BLOB CHECK (length(sha256) = 32),       -- NULL: not read (yet)
  content_type  TEXT,

  discovered_at INTEGER NOT NULL,
  submitted_at  INTEGER,                                -- the newest submission
  identified_at INTEGER,
  finished_at   INTEGER,

  -- The dealings with the service.
  options       INTEGER REFERENCES option_sets (id),
  job_id        TEXT CHECK (job_id <> ''),              -- the newest job
  submissions   INTEGER NOT NULL DEFAULT 0,             -- POSTs begun
  resubmissions INTEGER NOT NULL DEFAULT 0,             -- POSTs after one that was accepted or whose outcome is unknown
  attempts      INTEGER NOT NULL DEFAULT 0,             -- jobs made
  attempts_before_retry INTEGER NOT NULL DEFAULT 0,     -- of these, before the newest retry
  failures      INTEGER NOT NULL DEFAULT 0,             -- tries in a row that failed: submissions refused, or moves
  polls         INTEGER NOT NULL DEFAULT 0,
  unnamed       INTEGER NOT NULL DEFAULT 0,             -- POSTs since the newest job that were accepted without naming one
  outcome_unknown INTEGER NOT NULL DEFAULT 0,           -- 1: a POST may have made a job whose id we do not have
  job_abandoned INTEGER NOT NULL DEFAULT 0,             -- 1: the newest job was given up unfinished; 2: and is asked once more
  retry_at      INTEGER,                                -- nothing is done before this
  equal         INTEGER NOT NULL DEFAULT 0,             -- 1: waits for identical content

  -- The answer.
  type          INTEGER REFERENCES types (id),
  confidence    REAL CHECK (confidence BETWEEN 0 AND 1),
  alternatives  TEXT,                                   -- JSON
  reused        INTEGER NOT NULL DEFAULT 0,             -- 1: the answer to identical content
  -- A person decided the type; NULL: the service did. The confidence is the service's,
  -- and NULL where that decided otherwise.
  decided_at    INTEGER,

  -- Where it goes, decided before it is moved.
  outcome       TEXT CHECK (outcome = 'filed' OR outcome = 'review' OR outcome = 'failed'),
  sorted        INTEGER REFERENCES folders (id),
  target        TEXT CHECK (target <> ''),              -- relative to sorted
  -- The service is asked anew: where the file lies until the answer is there, relative
  -- to sorted. Type and confidence are the earlier ones until then.
  stays_at      TEXT CHECK (stays_at <> ''),
  -- Failed: the place in the inbox that it is being put back to. Waiting: it was
  -- put back, and has not been looked at since.
  put_back      TEXT CHECK (put_back <> ''),
  error         TEXT,
  -- Trouble of its own, which error tells of while there is any: see stuck.go.
  trouble_since INTEGER,
  stuck         INTEGER NOT NULL DEFAULT 0,             -- 1: for so long that it is shown as stuck

  -- What an unfinished document waits for, and until when.
  phase         TEXT AS (CASE
                  WHEN finished_at IS NOT NULL THEN NULL
                  WHEN outcome IS NOT NULL THEN 'file'
                  WHEN state = 'submitting' THEN 'submit'
                  WHEN state = 'pending' THEN 'poll'
                  WHEN sha256 IS NULL OR put_back IS NOT NULL THEN 'admit'
                  WHEN equal = 1 THEN 'equal'
                  WHEN unnamed > 1 THEN 'unnamed'
                  ELSE 'ready' END) VIRTUAL,
  due           INTEGER AS (coalesce(retry_at, 0)) VIRTUAL,

  CHECK ((state = 'filed' OR state = 'review' OR state = 'failed' OR state = 'gone') = (finished_at IS NOT NULL)),
  CHECK (state <> 'pending' OR job_id IS NOT NULL),
  CHECK (state = 'waiting' OR state = 'failed' OR state = 'gone' OR sha256 IS NOT NULL),
  CHECK ((state <> 'identified' AND state <> 'filed' AND state <> 'review')
         OR (type IS NOT NULL AND outcome IS NOT NULL AND (identified_at IS NOT NULL OR decided_at IS NOT NULL))),
  CHECK (finished_at IS NULL OR state = 'gone' OR (state = outcome AND target IS NOT NULL)),
  CHECK (target IS NULL OR (outcome IS NOT NULL AND sorted IS NOT NULL)),
  CHECK (stays_at IS NULL OR (finished_at IS NULL AND sorted IS NOT NULL AND sha256 IS NOT NULL)),
  CHECK (put_back IS NULL OR state = 'failed' OR (state = 'waiting' AND outcome IS NULL)),
  CHECK (equal = 0 OR (state = 'waiting' AND outcome IS NULL AND put_back IS NULL AND sha256 IS NOT NULL))
) STRICT;

-- Decisions of persons that are being carried out: the file of a finished document goes to
-- a place, or lies there already. It has the identity that it had at the decision.
CREATE TABLE decisions (
  document INTEGER PRIMARY KEY,
  type     INTEGER NOT NULL REFERENCES types (id),
  sorted   INTEGER NOT NULL REFERENCES folders (id),
  target   TEXT    NOT NULL CHECK (target <> ''),       -- relative to sorted
  device   INTEGER NOT NULL,
  inode    INTEGER NOT NULL,
  size     INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  changed  INTEGER NOT NULL,
  sha256   BLOB    NOT NULL CHECK (length(sha256) = 32),
  UNIQUE (sorted, target)
) STRICT;

-- At most one unfinished document at a place in the inbox.
CREATE UNIQUE INDEX documents_source ON documents (source) WHERE finished_at IS NULL AND stays_at IS NULL;
-- A job answers for one document.
CREATE UNIQUE INDEX documents_pending ON documents (job_id) WHERE state = 'pending';
-- A place is meant for one document at a time.
CREATE UNIQUE INDEX documents_target ON documents (sorted, target) WHERE target IS NOT NULL AND finished_at IS NULL;
-- The queue: what can be worked on, by what is to be done.
CREATE INDEX documents_phase ON documents (phase, due) WHERE finished_at IS NULL;
-- Whether a job id was given out before.
CREATE INDEX documents_job ON documents (job_id) WHERE job_id IS NOT NULL;
-- Identical content. The rest of the hash is compared in the row.
CREATE INDEX documents_content ON documents (substr(sha256, 1, 8)) WHERE sha256 IS NOT NULL;
-- In time order, with everything that the report adds up.
CREATE INDEX documents_finished ON documents (finished_at, state, type, discovered_at, confidence,
  submissions, polls, reused, resubmissions) WHERE finished_at IS NOT NULL;
CREATE INDEX documents_failed ON documents (finished_at) WHERE state = 'failed';
CREATE INDEX documents_review ON documents (finished_at) WHERE state = 'review';
-- In trouble, which is rare.
CREATE INDEX documents_trouble ON documents (stuck, trouble_since)
  WHERE trouble_since IS NOT NULL AND error IS NOT NULL AND finished_at IS NULL;
-- Failed without having been read: recognised by size and time only.
CREATE INDEX documents_unread ON documents (size, modified) WHERE state = 'failed' AND sha256 IS NULL;

-- The daemon that uses this database, or used it last; one row.
CREATE TABLE daemon (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  pid         INTEGER NOT NULL,
  started_at  INTEGER NOT NULL,
  stopped_at  INTEGER,                                  -- NULL: running, or killed
  hold_kind   TEXT CHECK (hold_kind IN ('account', 'service', 'rate', 'disk', 'inbox')),
  hold_reason TEXT,
  hold_since  INTEGER,
  hold_until  INTEGER,
  CHECK (hold_kind IS NULL OR (hold_reason IS NOT NULL AND hold_since IS NOT NULL))
) STRICT;

-- Files that lie in the inbox and are no documents yet, as of the last change.
CREATE TABLE not_taken (
  path   TEXT    NOT NULL,                              -- relative to the inbox
  reason TEXT    NOT NULL,
  since  INTEGER NOT NULL
) STRICT;

-- Events for the hook. A row is written together with the change that it reports,
-- and removed once the hook has run. There are none while no hook is set.
CREATE TABLE events (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  kind       TEXT    NOT NULL CHECK (kind IN ('filed', 'review', 'failed', 'refiled', 'stuck', 'hold', 'resumed')),
  at         INTEGER NOT NULL,
  document   INTEGER NOT NULL,                          -- 0: of no document
  source     TEXT,
  path       TEXT,
  type       TEXT,
  confidence REAL,
  decided_by TEXT,
  reason     TEXT,
  hold_kind  TEXT,
  hold_until INTEGER,
  tries      INTEGER NOT NULL DEFAULT 0,                -- that failed
  retry_at   INTEGER NOT NULL DEFAULT 0                 -- not before this
) STRICT;
CREATE INDEX events_document ON events (document, id);

-- One row while a hook is set.
CREATE TABLE listener (id INTEGER PRIMARY KEY CHECK (id = 1)) STRICT;

CREATE TRIGGER daemon_hold AFTER UPDATE OF hold_kind ON daemon
  WHEN (NEW.hold_kind IS NOT OLD.hold_kind OR NEW.hold_since IS NOT OLD.hold_since)
   AND EXISTS (SELECT 1 FROM listener)
BEGIN
  INSERT INTO events (kind, at, document, reason, hold_kind, hold_until)
  VALUES (iif(NEW.hold_kind IS NULL, 'resumed', 'hold'), CAST(round(unixepoch('subsec') * 1000) AS INTEGER), 0,
          coalesce(NEW.hold_reason, OLD.hold_reason), coalesce(NEW.hold_kind, OLD.hold_kind), NEW.hold_until);
END;

-- For people with nothing but SQLite.
CREATE VIEW report AS
  SELECT state,
         coalesce(t.code, '')                     AS type,
         count(*)                                 AS documents,
         round(avg(confidence), 3)                AS mean_confidence,
         datetime(min(discovered_at) / 1000, 'unixepoch')                AS first_discovered,
         datetime(max(coalesce(finished_at, discovered_at)) / 1000, 'unixepoch') AS last_change
    FROM documents d LEFT JOIN types t ON t.id = d.type
   GROUP BY state, coalesce(t.code, '')
   ORDER BY CASE state
              WHEN 'waiting' THEN 1 WHEN 'submitting' THEN 2 WHEN 'pending' THEN 3
              WHEN 'identified' THEN 4 WHEN 'filed' THEN 5 WHEN 'review' THEN 6
              WHEN 'failed' THEN 7 ELSE 8 END,
            documents DESC;

CREATE VIEW documents_report AS
  SELECT d.id,
         d.source,
         CASE WHEN d.state IN ('filed', 'review', 'failed')
              THEN f.path || '/' || d.target
              ELSE f.path || '/' || d.stays_at END  AS path,
         d.state,
         t.code                                   AS type,
         d.confidence,
         d.job_id,
         nullif(lower(hex(d.sha256)), '')         AS sha256,
         d.size,
         d.attempts,
         d.polls,
         d.error,
         CASE WHEN d.decided_at IS NOT NULL THEN 'person' WHEN d.type IS NOT NULL THEN 'service' END AS decided_by,
         strftime('%Y-%m-%dT%H:%M:%fZ', d.discovered_at / 1000.0, 'unixepoch') AS discovered_at,
         strftime('%Y-%m-%dT%H:%M:%fZ', d.submitted_at  / 1000.0, 'unixepoch') AS submitted_at,
         strftime('%Y-%m-%dT%H:%M:%fZ', d.identified_at / 1000.0, 'unixepoch') AS identified_at,
         strftime('%Y-%m-%dT%H:%M:%fZ', d.finished_at   / 1000.0, 'unixepoch') AS finished_at
    FROM documents d LEFT JOIN folders f ON f.id = d.sorted LEFT JOIN types t ON t.id = d.type
   ORDER BY d.id;
