/** PLAIN (RFC 4616), LOGIN, which no RFC has, and EXTERNAL (RFC 4422 §A), of the planted server. */
import type { Mechanism, MechanismContext } from './authentication.js';

export function plain(context: MechanismContext): Mechanism {
  const { has } = context;
  return {
    next([response = '']) {
      const [authorization = '', name = '', password = '', ...more] = response.split('\0');
      if (has('plain-name-alone-taken') && isUser(response, context)) return 'right';
      if ((more.length > 0 && !has('plain-rest-ignored')) || name === '') return 'wrong';
      const forOthers = authorization !== '' && authorization !== name && !has('auth-for-others');
      return !forOthers && isRight(name, password, context) ? 'right' : 'wrong';
    },
  };
}

export function login(context: MechanismContext): Mechanism {
  const words = context.has('login-challenges-differ') ? ['Who?', 'Prove it'] : ['Username:', 'Password:'];
  return {
    first: words[0] ?? '',
    next([name = '', password]) {
      if (password === undefined) return { say: words[1] ?? '' };
      if (name === '' && password === '' && context.has('login-without-a-name-taken')) return 'right';
      return isRight(name, password, context) ? 'right' : 'wrong';
    },
  };
}

/** Nobody has shown a certificate. */
export function external({ has }: MechanismContext): Mechanism {
  return {
    next([identity = '']) {
      if (has('external-without-certificate-taken') && identity === '') return 'right';
      return has('external-for-somebody-taken') && identity !== '' ? 'right' : 'wrong';
    },
  };
}

const isUser = (name: string, { users }: MechanismContext): boolean => Object.hasOwn(users, name);

function isRight(name: string, password: string, context: MechanismContext): boolean {
  const { users, has } = context;
  const known = isUser(name, context) ? (users[name] ?? '') : '';
  if (known === '') return has('auth-unknown-user-taken') && password !== '';
  if (password === '') return has('auth-empty-password-taken');
  if (has('auth-wrong-password')) return true;
  return has('auth-password-prefix') ? known.startsWith(password) : known === password;
}
