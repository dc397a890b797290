-- What the suite runs in each database that it creates.
CREATE EXTENSION vector;
