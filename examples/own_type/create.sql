-- A type with one byte for each dimension. The functions of bytea store the payload unchanged.
CREATE TYPE tinyvec;
CREATE FUNCTION tinyvec_in(cstring) RETURNS tinyvec AS 'byteain' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION tinyvec_out(tinyvec) RETURNS cstring AS 'byteaout' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION tinyvec_recv(internal) RETURNS tinyvec AS 'bytearecv' LANGUAGE internal IMMUTABLE STRICT;
CREATE FUNCTION tinyvec_send(tinyvec) RETURNS bytea AS 'byteasend' LANGUAGE internal IMMUTABLE STRICT;
CREATE TYPE tinyvec (
    INPUT = tinyvec_in, OUTPUT = tinyvec_out, RECEIVE = tinyvec_recv, SEND = tinyvec_send, LIKE = bytea
);
CREATE CAST (tinyvec AS bytea) WITHOUT FUNCTION;

-- An element of a payload. The header has 2 bytes, and get_byte() returns 0 to 255.
CREATE FUNCTION tinyvec_element(tinyvec, integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
    RETURN (get_byte($1::bytea, 2 + $2) + 128) % 256 - 128;

CREATE FUNCTION tinyvec_l2_distance(tinyvec, tinyvec) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT
    RETURN (
        SELECT sqrt(sum((tinyvec_element($1, n) - tinyvec_element($2, n)) ^ 2))
        FROM generate_series(0, greatest(length($1::bytea), length($2::bytea)) - 3) AS n
    );
CREATE OPERATOR <-> (FUNCTION = tinyvec_l2_distance, LEFTARG = tinyvec, RIGHTARG = tinyvec);
