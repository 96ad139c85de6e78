-- The job store. Version: PRAGMA user_version; coordinator/store/migrations.py brings an older file to it.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    priority INTEGER NOT NULL DEFAULT 0,
    submit TEXT NOT NULL,                -- protocol.messages.Submit as JSON
    directory TEXT NOT NULL,
    created_at TEXT NOT NULL,
    ended_at TEXT,
    elapsed_ms INTEGER,
    language TEXT,
    language_probability REAL,
    notes TEXT NOT NULL DEFAULT '[]',
    key TEXT,                            -- the client's: a submission sent twice is one job
    revision INTEGER NOT NULL DEFAULT 0, -- `changes.last` at its last change
    part_of TEXT NOT NULL DEFAULT ''     -- a trial's: the job of which a stretch or a line is done again
);
CREATE INDEX jobs_by_state ON jobs (state, seq);
CREATE UNIQUE INDEX jobs_by_key ON jobs (key);
CREATE INDEX jobs_by_revision ON jobs (revision);
CREATE INDEX jobs_by_part ON jobs (part_of) WHERE part_of <> '';
CREATE INDEX jobs_by_film ON jobs (json_extract(submit, '$.media'), seq);

CREATE TABLE steps (
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    stage TEXT NOT NULL,
    environment TEXT NOT NULL,
    target TEXT,
    choices TEXT NOT NULL DEFAULT '{}',  -- JSON: fields of the request that were chosen for the step
    reasons TEXT NOT NULL DEFAULT '[]',  -- JSON list of sentences: why this environment and these choices
    needs TEXT NOT NULL,                 -- JSON list of names: must be done
    after TEXT NOT NULL,                 -- JSON list of names: must have ended, in whatever way
    state TEXT NOT NULL,
    priority INTEGER NOT NULL DEFAULT 0,
    started INTEGER NOT NULL DEFAULT 0,  -- the job has begun: started jobs are finished first
    attempt INTEGER NOT NULL DEFAULT 0,
    begun_at TEXT,                       -- of the current attempt
    run TEXT NOT NULL DEFAULT '',        -- of the coordinator; late results have another run or attempt
    worker TEXT NOT NULL DEFAULT '',
    kills INTEGER NOT NULL DEFAULT 0,    -- workers that died under it
    failures INTEGER NOT NULL DEFAULT 0,
    duration_ms INTEGER,
    result TEXT,
    artefacts TEXT NOT NULL DEFAULT '[]',
    note TEXT NOT NULL DEFAULT '',
    error TEXT,
    step_key TEXT NOT NULL DEFAULT '',   -- coordinator/running/reuse.py: the same key is the same work
    PRIMARY KEY (job, name)
) WITHOUT ROWID;
CREATE INDEX steps_ready ON steps (environment, state, priority DESC, started DESC, job, position);
CREATE INDEX steps_by_key ON steps (step_key) WHERE step_key <> '';

-- `changes.last` counts every change of a job or of one of its steps; a job has the number of its last one.
-- By triggers, so that no write can forget it.
CREATE TABLE changes (last INTEGER NOT NULL);
INSERT INTO changes VALUES (0);
CREATE TABLE removed_jobs (revision INTEGER PRIMARY KEY, id TEXT NOT NULL);
CREATE TRIGGER job_added AFTER INSERT ON jobs BEGIN
    UPDATE changes SET last = last + 1;
    UPDATE jobs SET revision = (SELECT last FROM changes) WHERE seq = NEW.seq;
END;
CREATE TRIGGER job_changed
AFTER UPDATE OF state, priority, ended_at, elapsed_ms, language, language_probability, notes ON jobs
BEGIN
    UPDATE changes SET last = last + 1;
    UPDATE jobs SET revision = (SELECT last FROM changes) WHERE seq = NEW.seq;
END;
CREATE TRIGGER step_changed AFTER UPDATE ON steps BEGIN
    UPDATE changes SET last = last + 1;
    UPDATE jobs SET revision = (SELECT last FROM changes) WHERE seq = NEW.job;
END;
CREATE TRIGGER job_removed AFTER DELETE ON jobs BEGIN
    UPDATE changes SET last = last + 1;
    INSERT INTO removed_jobs VALUES ((SELECT last FROM changes), OLD.id);
    DELETE FROM removed_jobs WHERE revision <= (SELECT last FROM changes) - 10000;
END;
