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
    key TEXT                             -- the client's: a submission sent twice is one job
);
CREATE INDEX jobs_by_state ON jobs (state, seq);
CREATE UNIQUE INDEX jobs_by_key ON jobs (key);

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
