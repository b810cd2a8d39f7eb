-- A million generations of a thousand people, filled in by benchmarks/history.py. Those of the two people who are
-- looked at lie scattered among all others, as they do where many work at once.
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :rows),
drawn AS (
  SELECT n,
    CASE WHEN n % :of_long = 0 THEN :long WHEN n % :of_short = 1 THEN :short ELSE 'ses_' || (n * 7919 % 1000) END AS session,
    n / :of_long AS turn, abs(random()) AS chance, lower(hex(randomblob(10))) AS id
  FROM numbers
),
worded AS (
  SELECT *, (SELECT word FROM words WHERE rowid = 1 + chance % 40) || ' ' || (SELECT word FROM words WHERE rowid = 1 + chance / 40 % 40)
    || CASE chance / 1600 % 2 WHEN 0 THEN ' by the ocean' ELSE ' in the rain' END
    || CASE WHEN turn % 1000 = 500 THEN ' with a quetzal' ELSE '' END
    || ', slow pan to the right, soft light, take ' || n AS prompt
  FROM drawn
)
INSERT INTO generations (id, session_id, project_id, request_id, type, status, engine, engine_version, prompt, negative_prompt, settings, recipe,
  recipe_hash, seed, width, height, fps, duration_seconds, progress, stage, step, total_steps, message, estimated, attempt, lease_until,
  cancel_requested, lost, checkpoint_progress, checkpoint_step, preview_version, title, favorite, created_at, updated_at, finished_at, search_text)
SELECT 'gen_' || id, session, 'prj_' || session, 'req_' || id,
  CASE WHEN chance % 5 = 0 THEN 'image' ELSE 'video' END,
  CASE WHEN turn % 500 = 250 THEN 'failed' WHEN turn % 200 = 100 THEN 'cancelled' ELSE 'completed' END,
  CASE WHEN chance % 7 = 0 THEN 'bars' ELSE 'procedural' END,
  '1', prompt, '', '{"width":512,"height":288,"durationSeconds":4,"fps":24,"seed":7}', :recipe, id, 7, 512, 288, 24, 4.0,
  100.0, 'done', 96, 96, '', 0, 1, 0.0, 0, 0, 0.0, 0, 1, '', turn % 300 = 150, :now - :rows + n, :now - :rows + n, :now - :rows + n, prompt
FROM worded;
