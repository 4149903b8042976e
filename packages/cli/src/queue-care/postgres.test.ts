import { expect, it } from 'vitest';
import { isPostgres, shownPlace } from './postgres.js';

it.each([
  ['postgres://ann:secret@db.example:5432/mail', 'postgres://…@db.example:5432/mail'],
  ['postgresql://db.example/mail?password=secret', 'postgresql://db.example/mail'],
  ['postgres://ann:sec/ret@db.example/mail', 'postgres://…@db.example/mail'],
  ['postgres:///mail?host=/run/postgresql', 'postgres:///mail'],
])('the place %s is shown as %s', (place, shown) => {
  expect([isPostgres(place), shownPlace(place)]).toEqual([true, shown]);
});

it('a folder is shown as it is', () => {
  expect([isPostgres('./queue?'), shownPlace('./queue?')]).toEqual([false, './queue?']);
});
