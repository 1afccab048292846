-- What countries were shown and may reply to, with names to read. Whether a window has closed is a matter of the day: a
-- release leaves out those that have, and counts the rows that the others hold back.
SELECT
    w.window_id,
    w.ref_area,
    a.area_name,
    w.table_name,
    w.time_period,
    w.shown_at::DATE AS shown_on,
    w.closes_on,
    0::BIGINT AS held_row_count
FROM raw.reply_window AS w
JOIN reference.area AS a USING (ref_area)
WHERE w.waived_at IS NULL
ORDER BY w.ref_area, w.closes_on, w.window_id
