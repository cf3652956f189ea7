-- The record of docusort. Times are Unix milliseconds; the times of files
-- (modified, changed) are nanoseconds, as the file system gives them.
-- Names of files are bytes, not always UTF-8.

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
  id    INTEGER PRIMARY KEY,
  codes TEXT NOT NULL UNIQUE
) STRICT;

-- Conditions are comparisons: IN with more than two values makes SQLite build a
-- table for each evaluation, and these are evaluated at every change.
CREATE TABLE documents (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  inbox         INTEGER NOT NULL REFERENCES folders (id),
  source        TEXT    NOT NULL CHECK (source <> ''),  -- relative to the inbox
  state         TEXT    NOT NULL CHECK (
                  state = 'waiting' OR state = 'submitting' OR state = 'pending' OR state = 'identified' OR
                  state = 'filed' OR state = 'review' OR state = 'failed' OR state = 'gone'),

  -- What the file was when it was taken.
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
  resubmissions INTEGER NOT NULL DEFAULT 0,             -- POSTs after one accepted or unknown
  attempts      INTEGER NOT NULL DEFAULT 0,             -- jobs made
  spared        INTEGER NOT NULL DEFAULT 0,             -- jobs made before the newest retry
  refusals      INTEGER NOT NULL DEFAULT 0,             -- POSTs refused since the last job
  polls         INTEGER NOT NULL DEFAULT 0,
  unknown       INTEGER NOT NULL DEFAULT 0,             -- 1: what became of a POST is not known
  job_open      INTEGER NOT NULL DEFAULT 0,             -- 1: the newest job was given up unfinished
  retry_at      INTEGER,                                -- waiting: not before this
  waits_for     INTEGER,                                -- identical content, in flight

  -- The answer.
  type          TEXT,
  confidence    REAL CHECK (confidence BETWEEN 0 AND 1),
  alternatives  TEXT,                                   -- JSON
  reused        INTEGER NOT NULL DEFAULT 0,             -- 1: the answer to identical content

  -- Where it is to go, decided before it goes.
  outcome       TEXT CHECK (outcome = 'filed' OR outcome = 'review' OR outcome = 'failed'),
  sorted        INTEGER REFERENCES folders (id),
  target        TEXT CHECK (target <> ''),              -- relative to sorted
  -- Failed: the place in the inbox that it is being put back to. Waiting: it was
  -- put back, and has not been looked at since.
  put_back      TEXT CHECK (put_back <> ''),
  error         TEXT,

  CHECK ((state = 'filed' OR state = 'review' OR state = 'failed' OR state = 'gone') = (finished_at IS NOT NULL)),
  CHECK (state <> 'pending' OR job_id IS NOT NULL),
  CHECK (state = 'waiting' OR state = 'failed' OR state = 'gone' OR sha256 IS NOT NULL),
  CHECK ((state <> 'identified' AND state <> 'filed' AND state <> 'review')
         OR (type IS NOT NULL AND identified_at IS NOT NULL AND outcome IS NOT NULL)),
  CHECK (finished_at IS NULL OR state = 'gone' OR (state = outcome AND target IS NOT NULL)),
  CHECK (target IS NULL OR (outcome IS NOT NULL AND sorted IS NOT NULL)),
  CHECK (put_back IS NULL OR state = 'failed'
         OR (state = 'waiting' AND outcome IS NULL AND waits_for IS NULL))
) STRICT;

-- At most one unfinished record for a place in the inbox.
CREATE UNIQUE INDEX documents_source ON documents (source)
  WHERE finished_at IS NULL;
-- A job answers for one document.
CREATE UNIQUE INDEX documents_pending ON documents (job_id) WHERE state = 'pending';
CREATE INDEX documents_job ON documents (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX documents_unfinished ON documents (state, id)
  WHERE finished_at IS NULL;
-- What may be submitted: new documents first, then those that wait out a pause.
CREATE INDEX documents_queue ON documents (retry_at, id)
  WHERE state = 'waiting' AND outcome IS NULL AND waits_for IS NULL AND sha256 IS NOT NULL AND put_back IS NULL;
-- What is to be moved.
CREATE INDEX documents_moving ON documents (id)
  WHERE outcome IS NOT NULL AND finished_at IS NULL;
-- A place is meant for one document at a time.
CREATE UNIQUE INDEX documents_target ON documents (sorted, target)
  WHERE target IS NOT NULL AND finished_at IS NULL;
CREATE INDEX documents_waits_for ON documents (waits_for) WHERE waits_for IS NOT NULL;
CREATE INDEX documents_content ON documents (sha256) WHERE sha256 IS NOT NULL;
-- With what is drawn over time, so that it reads a twentieth of the bytes.
CREATE INDEX documents_finished ON documents (finished_at, state, discovered_at) WHERE finished_at IS NOT NULL;
CREATE INDEX documents_failed ON documents (finished_at) WHERE state = 'failed';
-- Failed without having been read: known again by size and time only.
CREATE INDEX documents_unread ON documents (size, modified) WHERE state = 'failed' AND sha256 IS NULL;
-- Everything that the summary adds up, so that it reads an eighth of the bytes.
CREATE INDEX documents_summary ON documents (state, type, finished_at, confidence,
  submissions, polls, reused, resubmissions) WHERE finished_at IS NOT NULL;
-- How long filing took, in order, so that percentiles need no sorting.
CREATE INDEX documents_latency ON documents (max(finished_at - discovered_at, 0), finished_at)
  WHERE state = 'filed' OR state = 'review';

-- The daemon that has this database, or had it last; one row.
CREATE TABLE daemon (
  id          INTEGER PRIMARY KEY CHECK (id = 1),
  pid         INTEGER NOT NULL,
  started_at  INTEGER NOT NULL,
  stopped_at  INTEGER,                                  -- NULL: running, or killed
  hold_kind   TEXT CHECK (hold_kind IN ('account', 'service', 'rate', 'disk')),
  hold_reason TEXT,
  hold_since  INTEGER,
  hold_until  INTEGER,
  CHECK (hold_kind IS NULL OR (hold_reason IS NOT NULL AND hold_since IS NOT NULL))
) STRICT;

-- What is to be told to a hook: an event for each row, written together with
-- the change that it tells of, and removed when it has been told. There are none
-- while nobody listens.
CREATE TABLE events (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  kind       TEXT    NOT NULL CHECK (kind IN ('filed', 'review', 'failed', 'hold', 'resumed')),
  at         INTEGER NOT NULL,
  document   INTEGER NOT NULL,                          -- 0: of no document
  source     TEXT,
  path       TEXT,
  type       TEXT,
  confidence REAL,
  reason     TEXT,
  hold_kind  TEXT,
  hold_until INTEGER,
  tries      INTEGER NOT NULL DEFAULT 0,                -- that failed
  retry_at   INTEGER NOT NULL DEFAULT 0                 -- not before this
) STRICT;
CREATE INDEX events_document ON events (document, id);

-- One row while somebody listens.
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
         coalesce(type, '')                       AS type,
         count(*)                                 AS documents,
         round(avg(confidence), 3)                AS mean_confidence,
         datetime(min(discovered_at) / 1000, 'unixepoch')                AS first_discovered,
         datetime(max(coalesce(finished_at, discovered_at)) / 1000, 'unixepoch') AS last_change
    FROM documents
   GROUP BY state, coalesce(type, '')
   ORDER BY CASE state
              WHEN 'waiting' THEN 1 WHEN 'submitting' THEN 2 WHEN 'pending' THEN 3
              WHEN 'identified' THEN 4 WHEN 'filed' THEN 5 WHEN 'review' THEN 6
              WHEN 'failed' THEN 7 ELSE 8 END,
            documents DESC;

CREATE VIEW documents_report AS
  SELECT d.id,
         d.source,
         CASE WHEN d.state IN ('filed', 'review', 'failed')
              THEN f.path || '/' || d.target END  AS path,
         d.state,
         d.type,
         d.confidence,
         d.job_id,
         lower(hex(d.sha256))                     AS sha256,
         d.size,
         d.attempts,
         d.polls,
         d.error,
         strftime('%Y-%m-%dT%H:%M:%fZ', d.discovered_at / 1000.0, 'unixepoch') AS discovered_at,
         strftime('%Y-%m-%dT%H:%M:%fZ', d.submitted_at  / 1000.0, 'unixepoch') AS submitted_at,
         strftime('%Y-%m-%dT%H:%M:%fZ', d.identified_at / 1000.0, 'unixepoch') AS identified_at,
         strftime('%Y-%m-%dT%H:%M:%fZ', d.finished_at   / 1000.0, 'unixepoch') AS finished_at
    FROM documents d LEFT JOIN folders f ON f.id = d.sorted
   ORDER BY d.id;
