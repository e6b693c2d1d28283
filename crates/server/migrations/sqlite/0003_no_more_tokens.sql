-- Sessions have taken their place.
DROP TABLE tokens;
