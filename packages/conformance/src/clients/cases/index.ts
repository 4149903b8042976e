/** All cases for clients, by subject. */
import type { ClientCaseGroup } from '../client-case.js';
import { auth } from './auth.js';
import { closing } from './closing.js';
import { content } from './content.js';
import { data } from './data.js';
import { envelope } from './envelope.js';
import { greeting } from './greeting.js';
import { hello } from './hello.js';
import { lmtp } from './lmtp.js';
import { offers } from './offers.js';
import { pipelining } from './pipelining.js';
import { replies } from './replies.js';
import { silence } from './silence.js';
import { tls } from './tls.js';

export const CLIENT_GROUPS: readonly ClientCaseGroup[] = [
  greeting,
  hello,
  offers,
  envelope,
  pipelining,
  data,
  content,
  replies,
  closing,
  silence,
  tls,
  auth,
  lmtp,
];
