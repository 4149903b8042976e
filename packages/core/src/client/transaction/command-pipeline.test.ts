import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { octetsOf, textOf } from '../dialogue.test-support.js';
import { CommandPipeline } from './command-pipeline.js';

function pipelineOf(maximumOctets: number, ...commands: string[]) {
  const pipeline = new CommandPipeline(commands.map(octetsOf), maximumOctets);
  return {
    pipeline,
    take: () => {
      const octets = pipeline.take();
      return octets === undefined ? undefined : textOf(octets);
    },
  };
}

describe('CommandPipeline', () => {
  it('gives all commands as one write where they fit', () => {
    const { take } = pipelineOf(6, 'aa', 'bb', 'cc');
    expect(take()).toBe('aabbcc');
    expect(take()).toBeUndefined();
  });

  it('holds back what exceeds the maximum by one octet', () => {
    expect(pipelineOf(5, 'aa', 'bb', 'cc').take()).toBe('aabb');
  });

  it('gives more only once half of the maximum was answered', () => {
    const { pipeline, take } = pipelineOf(8, 'aa', 'bb', 'cc', 'dd', 'ee', 'ff', 'gg');
    expect(take()).toBe('aabbccdd');
    pipeline.answer();
    expect(take()).toBeUndefined();
    pipeline.answer();
    expect(take()).toBe('eeff');
  });

  it('gives one command at a time with a maximum of 0', () => {
    const { pipeline, take } = pipelineOf(0, 'aa', 'bb');
    expect(take()).toBe('aa');
    expect(take()).toBeUndefined();
    pipeline.answer();
    expect(take()).toBe('bb');
    pipeline.answer();
    expect(pipeline.inFlight).toBe(false);
    expect(take()).toBeUndefined();
  });

  it('gives a command longer than the maximum alone', () => {
    const { pipeline, take } = pipelineOf(3, 'a', 'bbbb', 'c');
    expect(take()).toBe('a');
    pipeline.answer();
    expect(take()).toBe('bbbb');
    expect(take()).toBeUndefined();
    pipeline.answer();
    expect(take()).toBe('c');
  });

  it('gives nothing more once stopped, and still counts the replies to what is in flight', () => {
    const { pipeline, take } = pipelineOf(4, 'aa', 'bb', 'cc');
    expect(take()).toBe('aabb');
    pipeline.stop();
    pipeline.answer();
    expect(pipeline.inFlight).toBe(true);
    pipeline.answer();
    expect(pipeline.inFlight).toBe(false);
    expect(take()).toBeUndefined();
  });

  it('gives every command once and in order, and never more in flight than the maximum', () => {
    const commands = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 40 });
    fc.assert(
      fc.property(commands, fc.integer({ min: 0, max: 40 }), (lengths, maximum) => {
        const texts = lengths.map((length, index) => String.fromCharCode(33 + index).repeat(length));
        const { pipeline, take } = pipelineOf(maximum, ...texts);
        const inFlight: string[] = [];
        let written = '';
        for (let answered = 0; answered <= texts.length; answered++) {
          const group = take() ?? '';
          written += group;
          inFlight.push(...(group.match(/(.)\1*/g) ?? []));
          expect(inFlight.length > 0).toBe(answered < texts.length);
          expect(inFlight.length === 1 || inFlight.join('').length <= maximum).toBe(
            answered < texts.length || inFlight.length === 0,
          );
          if (inFlight.shift() !== undefined) pipeline.answer();
        }
        expect(written).toBe(texts.join(''));
      }),
    );
  });
});
