/** Messages that say of themselves that they are tests, for whoever finds them in a mailbox. */

/**
 * A message without its final dot, lines ended by CRLF.
 * @param body its text, lines separated by CRLF
 */
export function testMessage(
  target: { readonly from: string; readonly to: string },
  body = 'Nothing to do.',
): string {
  return [
    `From: <${target.from}>`,
    `To: <${target.to}>`,
    'Date: Thu, 01 Jan 2026 00:00:00 +0000',
    'Subject: Test message of sansmtp probe, please ignore',
    'Auto-Submitted: auto-generated',
    '',
    `${body}`,
    '',
  ].join('\r\n');
}
