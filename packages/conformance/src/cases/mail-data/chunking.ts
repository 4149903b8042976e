/** BDAT: a message in chunks, each as long as it says (RFC 3030). */
import type { CaseGroup } from '../../contract/case.js';
import { testMessage } from '../../contract/message.js';
import { goesOn, nothingMore, refuses } from '../judging.js';

/** A chunk with its command. */
const chunk = (text: string, last = ''): string => `BDAT ${text.length}${last}\r\n${text}`;

export const chunking: CaseGroup = {
  name: 'chunking',
  title: 'CHUNKING',
  introduction:
    'Messages in chunks of just so many octets, in which dots and line ends mean nothing (RFC 3030).',
  remedy:
    'Count the octets behind BDAT, and read them in any case: whether the chunk is taken is for the reply to say.',
  cases: [
    {
      id: 'chunking/one-chunk',
      section: 'RFC 3030 §2',
      level: 'MUST',
      rationale: 'A message of one chunk, the last, is taken like any other.',
      needs: ['CHUNKING', 'mail'],
      async run(target) {
        const dialogue = await target.addressed();
        dialogue.send(chunk(testMessage(target), ' LAST'));
        await dialogue.reply('250');
      },
    },
    {
      id: 'chunking/reply-to-each-chunk',
      section: 'RFC 3030 §2',
      level: 'MUST',
      rationale: 'Each chunk has a reply of its own, the empty last one as well.',
      needs: ['CHUNKING', 'mail'],
      async run(target) {
        const dialogue = await target.addressed();
        dialogue.send(chunk(testMessage(target)));
        await dialogue.reply('250');
        dialogue.send(chunk('', ' LAST'));
        await dialogue.reply('250');
      },
    },
    {
      id: 'chunking/last-in-lower-case',
      section: 'RFC 5321 §2.4',
      level: 'MUST',
      rationale: 'Keywords are read in either case, LAST as well.',
      needs: ['CHUNKING', 'mail'],
      async run(target) {
        const dialogue = await target.addressed();
        dialogue.send(chunk(testMessage(target), ' last'));
        await dialogue.reply('250');
        await dialogue.ask(target.rcpt(), '503 or 5yz');
      },
    },
    {
      id: 'chunking/last-ends-the-transaction',
      section: 'RFC 3030 §2',
      level: 'MUST',
      rationale: 'With LAST the message is complete, and its mail transaction is over.',
      needs: ['CHUNKING', 'mail'],
      async run(target) {
        const dialogue = await target.addressed();
        dialogue.send(chunk(testMessage(target), ' LAST'));
        await dialogue.needReply('250');
        await dialogue.ask(target.rcpt(), '503 or 5yz');
      },
    },
    {
      id: 'chunking/command-right-behind-a-chunk',
      section: 'RFC 3030 §2',
      level: 'MUST',
      rationale: 'The octet after the last one of a chunk begins a command.',
      needs: ['CHUNKING', 'mail'],
      async run(target) {
        const dialogue = await target.addressed();
        dialogue.send(`${chunk(`${testMessage(target)}no line end`)}NOOP\r\n`);
        await dialogue.reply('250');
        await dialogue.reply('250');
        await nothingMore(dialogue);
      },
    },
    {
      id: 'chunking/final-dot-in-a-chunk',
      section: 'RFC 3030 §2',
      level: 'SECURITY',
      rationale: 'CRLF.CRLF in a chunk ends nothing, and what follows it is no command.',
      needs: ['CHUNKING', 'mail'],
      async run(target) {
        const dialogue = await target.addressed();
        dialogue.send(chunk(`${testMessage(target)}\r\n.\r\nXYZZY\r\n`));
        await dialogue.reply('250');
        await nothingMore(dialogue);
      },
    },
    {
      id: 'chunking/octets-of-a-refused-chunk',
      section: 'RFC 3030 §2',
      level: 'SECURITY',
      rationale: 'The octets of a chunk that is refused are read away, and not carried out.',
      needs: ['CHUNKING'],
      async run(target) {
        const dialogue = await target.ready();
        dialogue.send(chunk('NOOP\r\nNOOP\r\n'));
        await dialogue.reply('5yz');
        await nothingMore(dialogue);
      },
    },
    {
      id: 'chunking/without-a-recipient',
      section: 'RFC 5321 §3.3',
      level: 'MUST',
      rationale: 'A chunk for nobody is refused.',
      needs: ['CHUNKING', 'mail'],
      async run(target) {
        const dialogue = await target.mailed();
        dialogue.send(chunk(testMessage(target)));
        await dialogue.reply('5yz');
      },
    },
    {
      id: 'chunking/data-between-chunks',
      section: 'RFC 3030 §2',
      level: 'MUST',
      rationale: 'DATA and BDAT do not go together in a mail transaction: DATA gets 503.',
      needs: ['CHUNKING', 'mail'],
      async run(target) {
        const dialogue = await target.addressed();
        dialogue.send(chunk(testMessage(target)));
        await dialogue.needReply('250');
        await dialogue.ask('DATA', '503 or 5yz');
      },
    },
    {
      id: 'chunking/rset-between-chunks',
      section: 'RFC 3030 §2',
      level: 'MUST',
      rationale: 'RSET between two chunks ends the mail transaction.',
      needs: ['CHUNKING', 'mail'],
      async run(target) {
        const dialogue = await target.addressed();
        dialogue.send(chunk(testMessage(target)));
        await dialogue.needReply('250');
        await dialogue.ask('RSET', '250');
        dialogue.send(chunk('', ' LAST'));
        await dialogue.reply('5yz');
      },
    },
    {
      id: 'chunking/noop-between-chunks',
      section: 'RFC 5321 §4.1.1.9',
      level: 'MUST',
      rationale: 'NOOP between two chunks changes nothing.',
      needs: ['CHUNKING', 'mail'],
      async run(target) {
        const dialogue = await target.addressed();
        dialogue.send(chunk(testMessage(target)));
        await dialogue.needReply('250');
        await goesOn(dialogue);
        dialogue.send(chunk('', ' LAST'));
        await dialogue.reply('250');
      },
    },
    {
      id: 'chunking/size-that-is-no-number',
      section: 'RFC 3030 §2',
      level: 'SECURITY',
      rationale: 'BDAT without a size is refused: nobody can tell where the next command begins.',
      needs: ['CHUNKING', 'mail'],
      run: async (target) => refuses(await target.addressed(), 'BDAT x\r\n'),
    },
    {
      id: 'chunking/data-after-binarymime',
      section: 'RFC 3030 §3',
      level: 'MUST',
      rationale: 'A message that was declared BINARYMIME cannot come by DATA.',
      needs: ['CHUNKING', 'BINARYMIME', 'mail'],
      async run(target) {
        const dialogue = await target.mailed('BODY=BINARYMIME');
        await dialogue.need(target.rcpt(), '250 or 251');
        await dialogue.ask('DATA', '503 or 5yz');
      },
    },
    {
      id: 'chunking/binary-octets',
      section: 'RFC 3030 §3',
      level: 'MUST',
      rationale: 'A message that was declared BINARYMIME may hold NUL, CR and LF as it likes.',
      needs: ['CHUNKING', 'BINARYMIME', 'mail'],
      async run(target) {
        const dialogue = await target.mailed('BODY=BINARYMIME');
        await dialogue.need(target.rcpt(), '250 or 251');
        dialogue.send(chunk(testMessage(target, 'a\0b\rc\nd'), ' LAST'));
        await dialogue.reply('250');
      },
    },
    {
      id: 'chunking/pipelined',
      section: 'RFC 3030 §2',
      level: 'MUST',
      rationale: 'Chunks may follow each other without waiting, and each has its reply.',
      needs: ['CHUNKING', 'PIPELINING', 'mail'],
      async run(target) {
        const dialogue = await target.addressed();
        dialogue.send(`${chunk(testMessage(target))}${chunk('end\r\n', ' LAST')}`);
        await dialogue.reply('250');
        await dialogue.reply('250');
        await nothingMore(dialogue);
      },
    },
    {
      id: 'chunking/commands-in-a-chunk',
      section: 'RFC 3030 §2',
      level: 'SECURITY',
      rationale: 'Lines of a chunk that look like commands are mail data.',
      needs: ['CHUNKING', 'mail'],
      async run(target) {
        const dialogue = await target.addressed();
        dialogue.send(chunk('NOOP\r\nNOOP\r\n'));
        await dialogue.reply('250');
        await nothingMore(dialogue);
      },
    },
  ],
};
