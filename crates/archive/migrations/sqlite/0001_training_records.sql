-- The training records. Decimals are whole millionths, times milliseconds since 1970-01-01T00:00:00Z; the views at the end show both to people.
-- An employee number is part of indexes, which limits its length.

-- One row per result: the head of the statement that is the record, its owner, and the content that the record shows.
CREATE TABLE training_record (
    result_id BLOB NOT NULL PRIMARY KEY,
    origin_generation INTEGER NOT NULL,
    origin_partition INTEGER NOT NULL,
    origin_offset INTEGER NOT NULL,
    mapping_version INTEGER NOT NULL,
    decision INTEGER NOT NULL,
    employee_no TEXT CHECK (length(employee_no) <= 200),
    matched_by TEXT,
    status TEXT NOT NULL,
    revision_scheme INTEGER NOT NULL,
    revision INTEGER,
    content_hash BLOB NOT NULL,
    repeat TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    enriched_generation INTEGER NOT NULL,
    enriched_partition INTEGER NOT NULL,
    enriched_offset INTEGER NOT NULL,
    owner_employee_no TEXT,
    owner_decision INTEGER NOT NULL,
    -- What the shown content was when the record itself is a withdrawal.
    shown_status TEXT,
    shown_content_hash BLOB,
    -- Tells the contents of one result apart; null while nothing is shown.
    content_number INTEGER,
    source TEXT,
    system TEXT,
    employee_name TEXT,
    department TEXT,
    position TEXT,
    course_id TEXT,
    course_title TEXT,
    exam_id TEXT,
    exam_title TEXT,
    attempt INTEGER,
    exam_score_millionths INTEGER,
    min_score_millionths INTEGER,
    max_score_millionths INTEGER,
    grade TEXT,
    passed INTEGER,
    finish_ms INTEGER,
    rounded INTEGER
) STRICT;
CREATE INDEX training_record_owner ON training_record (owner_employee_no);

-- Every other statement that counts or counted. The content stands in one row of its number, here or in training_record.
CREATE TABLE score_history (
    result_id BLOB NOT NULL,
    origin_generation INTEGER NOT NULL,
    origin_partition INTEGER NOT NULL,
    origin_offset INTEGER NOT NULL,
    mapping_version INTEGER NOT NULL,
    decision INTEGER NOT NULL,
    employee_no TEXT CHECK (length(employee_no) <= 200),
    matched_by TEXT,
    status TEXT NOT NULL,
    revision_scheme INTEGER NOT NULL,
    revision INTEGER,
    content_hash BLOB NOT NULL,
    repeat TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    enriched_generation INTEGER NOT NULL,
    enriched_partition INTEGER NOT NULL,
    enriched_offset INTEGER NOT NULL,
    content_number INTEGER NOT NULL,
    -- Whether other statements cannot be judged without this one. The others are read by their origin alone: repetitions, and what was mapped anew.
    speaks INTEGER NOT NULL,
    source TEXT,
    system TEXT,
    employee_name TEXT,
    department TEXT,
    position TEXT,
    course_id TEXT,
    course_title TEXT,
    exam_id TEXT,
    exam_title TEXT,
    attempt INTEGER,
    exam_score_millionths INTEGER,
    min_score_millionths INTEGER,
    max_score_millionths INTEGER,
    grade TEXT,
    passed INTEGER,
    finish_ms INTEGER,
    rounded INTEGER
) STRICT;
CREATE UNIQUE INDEX score_history_statement ON score_history
    (result_id, origin_generation, origin_partition, origin_offset, mapping_version, decision, (coalesce(employee_no, '')));
CREATE INDEX score_history_needed ON score_history (result_id) WHERE speaks OR source IS NOT NULL;

-- What could not be let count. Texts of reason 'constraint' are escaped: a backslash is \\, the character U+0000 is \0.
CREATE TABLE refused_score (
    reason TEXT NOT NULL,
    result_id BLOB,
    origin_generation INTEGER,
    origin_partition INTEGER,
    origin_offset INTEGER,
    mapping_version INTEGER,
    decision INTEGER,
    employee_no TEXT,
    matched_by TEXT,
    status TEXT,
    revision_scheme INTEGER,
    revision INTEGER,
    content_hash BLOB,
    repeat TEXT,
    received_ms INTEGER,
    enriched_generation INTEGER NOT NULL,
    enriched_partition INTEGER NOT NULL,
    enriched_offset INTEGER NOT NULL,
    source TEXT,
    system TEXT,
    employee_name TEXT,
    department TEXT,
    position TEXT,
    course_id TEXT,
    course_title TEXT,
    exam_id TEXT,
    exam_title TEXT,
    attempt INTEGER,
    exam_score_millionths INTEGER,
    min_score_millionths INTEGER,
    max_score_millionths INTEGER,
    grade TEXT,
    passed INTEGER,
    finish_ms INTEGER,
    rounded INTEGER,
    raw BLOB,
    PRIMARY KEY (enriched_generation, enriched_partition, enriched_offset)
) STRICT;
CREATE INDEX refused_score_result ON refused_score (result_id);
CREATE INDEX refused_score_employee ON refused_score (employee_no) WHERE reason = 'owner_changed';

-- How many positions of scores.enriched came to each fate.
CREATE TABLE fate_count (
    generation INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    fate TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (generation, partition, fate)
) STRICT;

-- Where each consumed partition goes on, and what its topic was.
CREATE TABLE consumer_position (
    topic TEXT NOT NULL,
    generation INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    topic_id TEXT NOT NULL,
    next_offset INTEGER NOT NULL,
    partition_count INTEGER NOT NULL,
    schemas TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (topic, generation, partition)
) STRICT;

CREATE TABLE employee (
    employee_no TEXT NOT NULL PRIMARY KEY CHECK (length(employee_no) <= 200),
    name TEXT,
    department TEXT,
    position TEXT,
    left_at_ms INTEGER,
    replaced_by TEXT CHECK (length(replaced_by) <= 200),
    -- The number that replaced_by means: as it is written where an employee has it, otherwise in its normal form.
    successor TEXT CHECK (length(successor) <= 200),
    as_of_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX employee_replaced_by ON employee (replaced_by) WHERE replaced_by IS NOT NULL;
CREATE INDEX employee_successor ON employee (successor) WHERE successor IS NOT NULL;

-- One row per result, as people read it.
CREATE VIEW training_records AS
SELECT
    substr(lower(hex(result_id)), 1, 8) || '-' || substr(lower(hex(result_id)), 9, 4) || '-' || substr(lower(hex(result_id)), 13, 4) || '-' ||
        substr(lower(hex(result_id)), 17, 4) || '-' || substr(lower(hex(result_id)), 21) AS result_id,
    owner_employee_no AS employee_no, employee_name, department, position,
    system, source, course_id, course_title, exam_id, exam_title, attempt,
    CASE WHEN exam_score_millionths IS NOT NULL THEN printf('%s%d.%06d', CASE WHEN exam_score_millionths < 0 THEN '-' ELSE '' END,
        abs(exam_score_millionths) / 1000000, abs(exam_score_millionths) % 1000000) END AS exam_score,
    CASE WHEN min_score_millionths IS NOT NULL THEN printf('%s%d.%06d', CASE WHEN min_score_millionths < 0 THEN '-' ELSE '' END,
        abs(min_score_millionths) / 1000000, abs(min_score_millionths) % 1000000) END AS min_score,
    CASE WHEN max_score_millionths IS NOT NULL THEN printf('%s%d.%06d', CASE WHEN max_score_millionths < 0 THEN '-' ELSE '' END,
        abs(max_score_millionths) / 1000000, abs(max_score_millionths) % 1000000) END AS max_score,
    grade, passed, rounded, status, shown_status,
    CASE WHEN finish_ms BETWEEN -62135596800000 AND 253402300799999
        THEN strftime('%Y-%m-%dT%H:%M:%S', (finish_ms - (finish_ms % 1000 + 1000) % 1000) / 1000, 'unixepoch') || printf('.%03dZ', (finish_ms % 1000 + 1000) % 1000) END AS finished_at,
    CASE WHEN received_ms BETWEEN -62135596800000 AND 253402300799999
        THEN strftime('%Y-%m-%dT%H:%M:%S', (received_ms - (received_ms % 1000 + 1000) % 1000) / 1000, 'unixepoch') || printf('.%03dZ', (received_ms % 1000 + 1000) % 1000) END AS received_at,
    revision_scheme, revision, matched_by,
    origin_generation || '/' || origin_partition || '/' || origin_offset AS origin
FROM training_record;

-- What waits for a person, as people read it.
CREATE VIEW refused_scores AS
SELECT
    reason,
    substr(lower(hex(result_id)), 1, 8) || '-' || substr(lower(hex(result_id)), 9, 4) || '-' || substr(lower(hex(result_id)), 13, 4) || '-' ||
        substr(lower(hex(result_id)), 17, 4) || '-' || substr(lower(hex(result_id)), 21) AS result_id,
    employee_no, employee_name, system, source, course_id, course_title, exam_id, exam_title, attempt,
    CASE WHEN exam_score_millionths IS NOT NULL THEN printf('%s%d.%06d', CASE WHEN exam_score_millionths < 0 THEN '-' ELSE '' END,
        abs(exam_score_millionths) / 1000000, abs(exam_score_millionths) % 1000000) END AS exam_score,
    grade, passed, status,
    CASE WHEN finish_ms BETWEEN -62135596800000 AND 253402300799999
        THEN strftime('%Y-%m-%dT%H:%M:%S', (finish_ms - (finish_ms % 1000 + 1000) % 1000) / 1000, 'unixepoch') || printf('.%03dZ', (finish_ms % 1000 + 1000) % 1000) END AS finished_at,
    CASE WHEN received_ms BETWEEN -62135596800000 AND 253402300799999
        THEN strftime('%Y-%m-%dT%H:%M:%S', (received_ms - (received_ms % 1000 + 1000) % 1000) / 1000, 'unixepoch') || printf('.%03dZ', (received_ms % 1000 + 1000) % 1000) END AS received_at,
    origin_generation || '/' || origin_partition || '/' || origin_offset AS origin,
    enriched_generation || '/' || enriched_partition || '/' || enriched_offset AS enriched_position
FROM refused_score;
