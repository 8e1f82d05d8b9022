-- What each scheduled comparison of a source's own list with the archive came to.

CREATE TABLE reconciliation (
    source TEXT NOT NULL,
    -- When it was to run: whoever writes the row first runs it.
    due_ms INTEGER NOT NULL,
    begun_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    -- agreed, differs or failed; null while it runs.
    outcome TEXT,
    listed INTEGER NOT NULL DEFAULT 0,
    archived INTEGER NOT NULL DEFAULT 0,
    -- A JSON object: how many results differ in which way.
    classes TEXT NOT NULL DEFAULT '{}',
    -- Reports that were sent to bring the archive up to date.
    sent INTEGER NOT NULL DEFAULT 0,
    problem TEXT,
    PRIMARY KEY (source, due_ms)
);
CREATE INDEX reconciliation_due ON reconciliation (due_ms);
