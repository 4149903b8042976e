import { createTransport } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { type MailMatchers, mailMatchers } from '../index.js';
import { openInbox } from '../node/index.js';

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: as vitest declares it
  interface Matchers<T = any> extends MailMatchers<T> {}
}

expect.extend(mailMatchers);

async function received() {
  const inbox = await openInbox();
  await createTransport(inbox.transport).sendMail({
    from: 'ann@example.org',
    to: 'bob@example.com',
    subject: 'hello',
    text: 'Hi.',
  });
  await inbox.close();
  return inbox;
}

/** What a matcher that fails says. */
function failureOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('It did not fail');
}

describe('matchers', () => {
  it('look for a message among those that have come', async () => {
    const inbox = await received();
    expect(inbox).toHaveReceived();
    expect(inbox).toHaveReceived({ to: 'bob@example.com', text: 'Subject: hello' });
    expect(inbox).not.toHaveReceived({ to: 'eve@example.com' });
    expect(failureOf(() => expect(inbox).toHaveReceived({ to: 'eve@example.com' }))).toBe(
      'Expected there to be a message to eve@example.com. One message has arrived:\n' +
        '  ann@example.org to bob@example.com: "Subject: hello"',
    );
    expect(failureOf(() => expect(inbox).not.toHaveReceived({ from: 'ann@example.org' }))).toBe(
      'Expected no message from ann@example.org. One message has arrived:\n' +
        '  ann@example.org to bob@example.com: "Subject: hello"',
    );
    expect(failureOf(() => expect(3).toHaveReceived())).toContain('takes an inbox');
  });

  it('judge one message', async () => {
    const [message] = (await received()).messages;
    expect(message).toBeMail({ from: 'ann@example.org', text: /^Hi\.$/m });
    expect(message).not.toBeMail({ text: 'Ho' });
    const failure = failureOf(() => expect(message).toBeMail({ text: 'Ho' }));
    expect(failure).toMatch(/^Expected a message with "Ho"; it is from ann@example.org to bob@example.com/);
    expect(failure).toContain('\r\n\r\nHi.\r\n');
  });
});
