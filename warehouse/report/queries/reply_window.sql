-- What is held back until its country has replied, or its time is over.
SELECT
    window_id, ref_area, area_name, table_name, time_period, strftime(shown_on, '%Y-%m-%d') AS shown_day,
    strftime(closes_on, '%Y-%m-%d') AS closing_day, held_row_count
FROM published.reply_window
ORDER BY area_name, closing_day, table_name, time_period, window_id
