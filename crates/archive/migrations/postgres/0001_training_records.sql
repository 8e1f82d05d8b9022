-- The training records. Decimals are whole millionths, times milliseconds since 1970-01-01T00:00:00Z; the views at the end show both to people.
-- An employee number is part of indexes, which limits its length.

-- One row per result: the head of the statement that is the record, its owner, and the content that the record shows.
CREATE TABLE training_record (
    result_id uuid NOT NULL PRIMARY KEY,
    origin_generation integer NOT NULL,
    origin_partition integer NOT NULL,
    origin_offset bigint NOT NULL,
    mapping_version integer NOT NULL,
    decision bigint NOT NULL,
    employee_no text CHECK (length(employee_no) <= 200),
    matched_by text,
    status text NOT NULL,
    revision_scheme integer NOT NULL,
    revision bigint,
    content_hash bytea NOT NULL,
    repeat text NOT NULL,
    received_ms bigint NOT NULL,
    enriched_generation integer NOT NULL,
    enriched_partition integer NOT NULL,
    enriched_offset bigint NOT NULL,
    owner_employee_no text,
    owner_decision bigint NOT NULL,
    -- What the shown content was when the record itself is a withdrawal.
    shown_status text,
    shown_content_hash bytea,
    -- Tells the contents of one result apart; null while nothing is shown.
    content_number integer,
    source text,
    system text,
    employee_name text,
    department text,
    position text,
    course_id text,
    course_title text,
    exam_id text,
    exam_title text,
    attempt bigint,
    exam_score_millionths bigint,
    min_score_millionths bigint,
    max_score_millionths bigint,
    grade text,
    passed boolean,
    finish_ms bigint,
    rounded boolean
);
CREATE INDEX training_record_owner ON training_record (owner_employee_no);

-- Every other statement that counts or counted. The content stands in one row of its number, here or in training_record.
CREATE TABLE score_history (
    result_id uuid NOT NULL,
    origin_generation integer NOT NULL,
    origin_partition integer NOT NULL,
    origin_offset bigint NOT NULL,
    mapping_version integer NOT NULL,
    decision bigint NOT NULL,
    employee_no text CHECK (length(employee_no) <= 200),
    matched_by text,
    status text NOT NULL,
    revision_scheme integer NOT NULL,
    revision bigint,
    content_hash bytea NOT NULL,
    repeat text NOT NULL,
    received_ms bigint NOT NULL,
    enriched_generation integer NOT NULL,
    enriched_partition integer NOT NULL,
    enriched_offset bigint NOT NULL,
    content_number integer NOT NULL,
    -- Whether other statements cannot be judged without this one. The others are read by their origin alone: repetitions, and what was mapped anew.
    speaks boolean NOT NULL,
    source text,
    system text,
    employee_name text,
    department text,
    position text,
    course_id text,
    course_title text,
    exam_id text,
    exam_title text,
    attempt bigint,
    exam_score_millionths bigint,
    min_score_millionths bigint,
    max_score_millionths bigint,
    grade text,
    passed boolean,
    finish_ms bigint,
    rounded boolean
);
CREATE UNIQUE INDEX score_history_statement ON score_history
    (result_id, origin_generation, origin_partition, origin_offset, mapping_version, decision, (coalesce(employee_no, '')));
CREATE INDEX score_history_needed ON score_history (result_id) WHERE speaks OR source IS NOT NULL;

-- What could not be let count. Texts of reason 'constraint' are escaped: a backslash is \\, the character U+0000 is \0.
CREATE TABLE refused_score (
    reason text NOT NULL,
    result_id uuid,
    origin_generation integer,
    origin_partition integer,
    origin_offset bigint,
    mapping_version integer,
    decision bigint,
    employee_no text,
    matched_by text,
    status text,
    revision_scheme integer,
    revision bigint,
    content_hash bytea,
    repeat text,
    received_ms bigint,
    enriched_generation integer NOT NULL,
    enriched_partition integer NOT NULL,
    enriched_offset bigint NOT NULL,
    source text,
    system text,
    employee_name text,
    department text,
    position text,
    course_id text,
    course_title text,
    exam_id text,
    exam_title text,
    attempt bigint,
    exam_score_millionths bigint,
    min_score_millionths bigint,
    max_score_millionths bigint,
    grade text,
    passed boolean,
    finish_ms bigint,
    rounded boolean,
    raw bytea,
    PRIMARY KEY (enriched_generation, enriched_partition, enriched_offset)
);
CREATE INDEX refused_score_result ON refused_score (result_id);
CREATE INDEX refused_score_employee ON refused_score (employee_no) WHERE reason = 'owner_changed';

-- How many positions of scores.enriched came to each fate.
CREATE TABLE fate_count (
    generation integer NOT NULL,
    partition integer NOT NULL,
    fate text NOT NULL,
    count bigint NOT NULL,
    PRIMARY KEY (generation, partition, fate)
);

-- Where each consumed partition goes on, and what its topic was.
CREATE TABLE consumer_position (
    topic text NOT NULL,
    generation integer NOT NULL,
    partition integer NOT NULL,
    topic_id text NOT NULL,
    next_offset bigint NOT NULL,
    partition_count integer NOT NULL,
    schemas text NOT NULL DEFAULT '',
    PRIMARY KEY (topic, generation, partition)
);

CREATE TABLE employee (
    employee_no text NOT NULL PRIMARY KEY CHECK (length(employee_no) <= 200),
    name text,
    department text,
    position text,
    left_at_ms bigint,
    replaced_by text CHECK (length(replaced_by) <= 200),
    -- The number that replaced_by means: as it is written where an employee has it, otherwise in its normal form.
    successor text CHECK (length(successor) <= 200),
    as_of_ms bigint NOT NULL
);
CREATE INDEX employee_replaced_by ON employee (replaced_by) WHERE replaced_by IS NOT NULL;
CREATE INDEX employee_successor ON employee (successor) WHERE successor IS NOT NULL;

-- One row per result, as people read it.
CREATE VIEW training_records AS
SELECT
    result_id,
    owner_employee_no AS employee_no, employee_name, department, position,
    system, source, course_id, course_title, exam_id, exam_title, attempt,
    exam_score_millionths * 0.000001 AS exam_score,
    min_score_millionths * 0.000001 AS min_score,
    max_score_millionths * 0.000001 AS max_score,
    grade, passed, rounded, status, shown_status,
    CASE WHEN finish_ms BETWEEN -62135596800000 AND 253402300799999 THEN to_timestamp(finish_ms * 0.001) END AS finished_at,
    CASE WHEN received_ms BETWEEN -62135596800000 AND 253402300799999 THEN to_timestamp(received_ms * 0.001) END AS received_at,
    revision_scheme, revision, matched_by,
    origin_generation || '/' || origin_partition || '/' || origin_offset AS origin
FROM training_record;

-- What waits for a person, as people read it.
CREATE VIEW refused_scores AS
SELECT
    reason,
    result_id,
    employee_no, employee_name, system, source, course_id, course_title, exam_id, exam_title, attempt,
    exam_score_millionths * 0.000001 AS exam_score,
    grade, passed, status,
    CASE WHEN finish_ms BETWEEN -62135596800000 AND 253402300799999 THEN to_timestamp(finish_ms * 0.001) END AS finished_at,
    CASE WHEN received_ms BETWEEN -62135596800000 AND 253402300799999 THEN to_timestamp(received_ms * 0.001) END AS received_at,
    origin_generation || '/' || origin_partition || '/' || origin_offset AS origin,
    enriched_generation || '/' || enriched_partition || '/' || enriched_offset AS enriched_position
FROM refused_score;
