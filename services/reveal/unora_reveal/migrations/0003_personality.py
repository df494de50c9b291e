"""Personality questions, answers and scores; reveal 3 becomes a glimpse, of which no text is stored (PE-03, PE-04)."""

from unora_common.messaging_schema import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE reveal.personality_questions (
    id smallint NOT NULL CONSTRAINT pk_personality_questions PRIMARY KEY,
    version smallint NOT NULL,
    dimension text NOT NULL,
    wording text NOT NULL CONSTRAINT uq_personality_questions_wording UNIQUE,
    reversed boolean NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT ck_personality_questions_id CHECK (id > 0),
    CONSTRAINT ck_personality_questions_version CHECK (version > 0),
    CONSTRAINT ck_personality_questions_dimension CHECK (
        dimension IN ('exploration', 'structure', 'sociability', 'consideration', 'composure'))
);
COMMENT ON TABLE reveal.personality_questions IS
    'Static, versioned reference data (PE-02): version is of the set that brought it, deleted_at of one asked no more';

CREATE TABLE reveal.personality_answers (
    user_id uuid NOT NULL,
    question_id smallint NOT NULL CONSTRAINT fk_personality_answers_question_id
        REFERENCES reveal.personality_questions (id),
    answer smallint NOT NULL,
    answered_at timestamptz NOT NULL,
    CONSTRAINT pk_personality_answers PRIMARY KEY (user_id, question_id),
    CONSTRAINT ck_personality_answers_answer CHECK (answer BETWEEN 1 AND 5)
);
COMMENT ON TABLE reveal.personality_answers IS
    'One per question and member, 1 disagree to 5 agree; what is withdrawn is deleted (PE-02)';

CREATE TABLE reveal.personality_scores (
    user_id uuid NOT NULL CONSTRAINT pk_personality_scores PRIMARY KEY,
    scores jsonb,
    answered_count smallint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0,
    computed_at timestamptz,
    CONSTRAINT ck_personality_scores_answered_count CHECK (answered_count >= 0),
    CONSTRAINT ck_personality_scores_none_without_answers CHECK ((scores IS NULL) = (answered_count = 0)),
    CONSTRAINT ck_personality_scores_dimensions CHECK (
        jsonb_typeof(scores) = 'object'
        AND scores - ARRAY['exploration', 'structure', 'sociability', 'consideration', 'composure'] = '{}'
        AND NOT jsonb_path_exists(scores, 'strict $.* ? (@.type() != "object")')),
    CONSTRAINT ck_personality_scores_only_numbers CHECK (
        NOT jsonb_path_exists(scores, 'strict $.*.* ? (@.type() != "number" || @ < 0 || @ > 1)', '{}', true)),
    CONSTRAINT ck_personality_scores_score_and_confidence CHECK (
        NOT jsonb_path_exists(scores, 'lax $.* ? (!exists(@.score) || !exists(@.confidence))')
        AND NOT jsonb_path_exists(
            scores, 'strict $.*.keyvalue() ? (@.key != "score" && @.key != "confidence")', '{}', true))
);
COMMENT ON TABLE reveal.personality_scores IS
    'Per dimension a score and a confidence, 0 to 1: numbers only, no label, summary or text (PE-03). Null without '
    'answers. Its row''s lock guards the member''s answers';
REVOKE INSERT, UPDATE, DELETE ON reveal.personality_questions FROM unora_reveal;
"""

QUESTIONS = """
INSERT INTO reveal.personality_questions (id, version, dimension, reversed, wording) VALUES
    (1, 1, 'exploration', false, 'I would rather try a dish I cannot pronounce than order my usual one.'),
    (2, 1, 'structure', false, 'I like to know in the morning what the day will hold.'),
    (3, 1, 'sociability', false, 'I find it easy to start talking with someone I have never met.'),
    (4, 1, 'consideration', false, 'I notice when somebody in the room has gone quiet.'),
    (5, 1, 'composure', false, 'When plans fall through I soon see what else the day could be.'),
    (6, 1, 'exploration', true, 'I am happiest with things I already know well.'),
    (7, 1, 'structure', true, 'I decide at the last minute more often than not.'),
    (8, 1, 'sociability', true, 'After a long evening in company I need time to myself.'),
    (9, 1, 'consideration', true, 'I say what I think, even if it stings a little.'),
    (10, 1, 'composure', true, 'Small worries stay with me longer than I would like.'),
    (11, 1, 'exploration', false, 'I enjoy following a strange idea just to see where it leads.'),
    (12, 1, 'structure', false, 'I finish what I have started before I begin the next thing.'),
    (13, 1, 'sociability', false, 'A weekend full of people gives me energy.'),
    (14, 1, 'consideration', false, 'A clumsy word is soon forgotten between me and a friend.'),
    (15, 1, 'composure', false, 'A bad morning seldom spoils my afternoon.'),
    (16, 1, 'exploration', false, 'When I travel, I like to get a little lost.'),
    (17, 1, 'structure', true, 'My plans are loose, and I like them that way.'),
    (18, 1, 'sociability', true, 'I prefer two people and a quiet corner to a party.'),
    (19, 1, 'consideration', false, 'I gladly change my evening when a friend needs a hand.'),
    (20, 1, 'composure', true, 'My mood can turn like the weather.'),
    (21, 1, 'exploration', true, 'I would sooner watch a favourite film again than one nobody has told me about.'),
    (22, 1, 'structure', false, 'Things of mine have a place, and that is where I find them.'),
    (23, 1, 'sociability', false, 'I am glad when the doorbell rings without warning.'),
    (24, 1, 'consideration', true, 'In a busy week I look after my own things first.'),
    (25, 1, 'composure', false, 'I sleep well before an important day.'),
    (26, 1, 'exploration', false, 'I often pick something up only to find out how it works.'),
    (27, 1, 'structure', false, 'When I say I will be there at seven, I am there at seven.'),
    (28, 1, 'sociability', true, 'In a group I like to let others speak first.'),
    (29, 1, 'consideration', false, 'I try to see a quarrel from the other side before I answer.'),
    (30, 1, 'composure', true, 'I often play a conversation back to find what I could have said.'),
    (31, 1, 'exploration', true, 'I see little reason to change a way of doing things that works.'),
    (32, 1, 'structure', true, 'I can leave a task half done and think no more of it.'),
    (33, 1, 'sociability', false, 'I tell a story better with a whole table listening.'),
    (34, 1, 'consideration', true, 'It is hard for me to wait while others make up their minds.'),
    (35, 1, 'composure', false, 'I can wait for news without turning it over in my head.');
"""

# What was stored of reveal 3 before it was a glimpse is taken away: it is framed anew at the next look (PE-04). The
# lock keeps anything from being stored behind the deletion's back. A service that still runs as it was before this
# version cannot open a reveal 3 for the first time until it is replaced: it is refused as a whole, and the reveal stays
# earned.
GLIMPSE = """
LOCK TABLE reveal.reveal_contents IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM reveal.reveal_contents WHERE reveal_number = 3;
COMMENT ON TABLE reveal.reveal_contents IS
    'The framed text of reveals 1, 2 and 4, as it was first given (RE-09); of reveal 5 only which photos it showed '
    '(RE-12); of reveal 3 nothing (PE-04)';

-- RE-09: a text that was given is not changed, and none is made for a reveal that is not open. PE-04: nor for reveal 3.
CREATE OR REPLACE FUNCTION reveal.hold_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.reveal_number = 3 THEN
        PERFORM reveal.refuse('glimpse_is_never_stored', 'what rests on personality is framed anew at each read');
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (SELECT FROM reveal.reveals WHERE id = NEW.reveal_id AND reveal_status = 'unlocked') THEN
            PERFORM reveal.refuse('content_of_unlocked', 'only an unlocked reveal has content');
        END IF;
    ELSIF (OLD.reveal_id, OLD.reveal_number, OLD.content_json, OLD.created_at)
          IS DISTINCT FROM (NEW.reveal_id, NEW.reveal_number, NEW.content_json, NEW.created_at)
          OR NOT coalesce(NEW.photo_ids @> OLD.photo_ids, true) THEN
        PERFORM reveal.refuse('content_fixed', 'what was given stays as it was given');
    END IF;
    RETURN NEW;
END
$$;
"""


def upgrade() -> None:
    run_sql(TABLES)
    run_sql(QUESTIONS)
    run_sql(GLIMPSE)
