-- Texts compare and sort byte by byte, as in SQLite, whatever the locale of the
-- database: an upgrade of the C library changes no index.

-- What the tables hold as a whole. There is one row.
CREATE TABLE prserv_state (
    schema_version integer NOT NULL,
    -- A client of generation 3 has asked, so older values of a checksum stay.
    revisions boolean NOT NULL DEFAULT false,
    -- Counts connections. A connection that has counted itself knows that
    -- whatever it reads is as safe as its own change: see connect.go.
    connections bigint NOT NULL DEFAULT 0
);
INSERT INTO prserv_state (schema_version) VALUES (0);

-- The greatest value of each version and pkgarch, and who has it.
CREATE TABLE prgroup (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version text COLLATE "C" NOT NULL,   -- PF of a package, or "AUTOINC-" and a recipe
    pkgarch text COLLATE "C" NOT NULL,   -- PACKAGE_ARCH
    greatest bigint[] NOT NULL DEFAULT '{}', -- 3.1 is {3,1}; {} is no value yet
    holder text COLLATE "C",             -- the checksum that has it; NULL: look into prvalue
    UNIQUE (version, pkgarch)
) WITH (fillfactor = 70); -- leaves room for new versions of a row beside it

-- The values of each checksum.
CREATE TABLE prvalue (
    group_id bigint NOT NULL,            -- of prgroup
    checksum text COLLATE "C" NOT NULL,
    value bigint[] NOT NULL,             -- as prgroup.greatest
    stored bigint GENERATED ALWAYS AS IDENTITY (CACHE 32), -- the order of rows in a dump
    PRIMARY KEY (group_id, checksum, value)
);
