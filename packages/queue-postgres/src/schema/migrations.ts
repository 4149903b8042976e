/**
 * What is stored, and how it came to be so. The number of migrations that a database has had is its format: append new ones,
 * and never change one that was published.
 *
 * - `message`: one row each; whoever changes anything of a message, its recipients, deliveries or claims, locks this row
 *   first. Only `committing` and `renew` do without: they lock the claim.
 * - `recipient`: what became of each. `fence` is the claim that has it, `committing_since` when the final dot may have been sent.
 * - `delivery`: a message and a domain, as long as somebody there waits. What `claim()` looks through: `due` is when it may give
 *   something of it (null: it is held, dropped or all claimed), `ready` says that this has come.
 * - `claim`: those that are out. `lease_until` is by the clock of the database, all other times by those of the callers.
 * - `chunk`: the bodies, 64 KiB a row. They are stored before their message (`upload` has those whose message is not there
 *   yet), and may stay after it while somebody reads (`departed`).
 */
import type { Tables } from './tables.js';

export type Migration = (tables: Tables) => string;

const first: Migration = (tables) => `
  CREATE TABLE ${tables.message} (
    number bigint GENERATED ALWAYS AS IDENTITY,
    id text COLLATE "C" PRIMARY KEY,
    arrived bigint NOT NULL,
    size bigint NOT NULL,
    envelope json NOT NULL,
    sender text COLLATE "C" NOT NULL,
    held boolean NOT NULL,
    dropped boolean NOT NULL DEFAULT false
  );
  CREATE INDEX ON ${tables.message} (arrived, number);

  CREATE TABLE ${tables.recipient} (
    message text COLLATE "C" NOT NULL REFERENCES ${tables.message} ON DELETE CASCADE,
    place integer NOT NULL,
    domain text COLLATE "C" NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'bounced')),
    attempts integer NOT NULL DEFAULT 0,
    next bigint NOT NULL,
    last json,
    marks json NOT NULL DEFAULT '{}',
    fence bigint,
    committing_since bigint,
    PRIMARY KEY (message, place)
  ) WITH (fillfactor = 80);

  CREATE TABLE ${tables.delivery} (
    message text COLLATE "C" NOT NULL REFERENCES ${tables.message} ON DELETE CASCADE,
    domain text COLLATE "C" NOT NULL,
    priority smallint NOT NULL,
    sender text COLLATE "C" NOT NULL,
    due bigint,
    ready boolean NOT NULL,
    PRIMARY KEY (message, domain)
  ) WITH (autovacuum_vacuum_scale_factor = 0.02);
  CREATE INDEX delivery_ready ON ${tables.delivery} (domain, priority DESC, sender, due) WHERE ready;
  CREATE INDEX delivery_later ON ${tables.delivery} (due) WHERE NOT ready AND due IS NOT NULL;

  CREATE SEQUENCE ${tables.fence};
  CREATE TABLE ${tables.claim} (
    fence bigint PRIMARY KEY,
    message text COLLATE "C" NOT NULL REFERENCES ${tables.message} ON DELETE CASCADE,
    domain text COLLATE "C" NOT NULL,
    lease_until bigint NOT NULL,
    worker text NOT NULL
  );
  CREATE INDEX ON ${tables.claim} (message);
  CREATE INDEX ON ${tables.claim} (lease_until);

  CREATE TABLE ${tables.chunk} (
    message text COLLATE "C" NOT NULL,
    number integer NOT NULL,
    octets bytea NOT NULL,
    PRIMARY KEY (message, number)
  );
  ALTER TABLE ${tables.chunk} ALTER octets SET STORAGE EXTERNAL;
  CREATE TABLE ${tables.upload} (
    message text COLLATE "C" PRIMARY KEY,
    worker text NOT NULL,
    begun timestamptz NOT NULL DEFAULT now()
  );
  CREATE TABLE ${tables.departed} (message text COLLATE "C" PRIMARY KEY);
`;

export const migrations: readonly Migration[] = [first];
