/** AUTH, which succeeds and which fails. No octet of an exchange is shown, as in any trace. */
import { Secret } from '@sansmtp/core';
import type { Scenario } from '../simulation/scenario.js';
import { ANN, BOB, clientName, message, oneByOne, serverName, tls } from './parties.js';

const server = {
  ...serverName,
  tls,
  extensions: oneByOne,
  authentication: { mechanisms: ['PLAIN', 'LOGIN'], required: true },
} as const;

const errands: Scenario['errands'] = [
  { kind: 'send', envelope: { from: ANN, to: [BOB] }, message },
  { kind: 'quit' },
];

export const authenticationSucceeds: Scenario = {
  id: 'auth',
  title: 'AUTH succeeds',
  about:
    'A submission server takes no mail before it knows who is there (RFC 4954). LOGIN asks for the name and then for the password; 235 lets Ann in.',
  client: {
    ...clientName,
    tls,
    authentication: {
      credentials: { kind: 'password', username: 'ann', password: new Secret('correct horse') },
      mechanisms: ['LOGIN'],
    },
  },
  server,
  errands,
};

export const authenticationFails: Scenario = {
  id: 'auth-fails',
  title: 'AUTH fails',
  about:
    'The password is wrong: 535. Nothing was taken, and the client leaves; to try the same password again would only lock Ann out.',
  client: {
    ...clientName,
    tls,
    authentication: {
      credentials: { kind: 'password', username: 'ann', password: new Secret('battery staple') },
      mechanisms: ['PLAIN'],
    },
  },
  server,
  errands,
  decide: (question) => ({ decision: question.kind === 'authenticate' ? 'reject' : 'accept' }),
};
