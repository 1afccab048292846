-- How figures came to be, fact by fact, as it was read or asked.
FROM reference.recording_practice ORDER BY ALL
