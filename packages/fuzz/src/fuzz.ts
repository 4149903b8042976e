/** `npm run fuzz`: see docs/testing.md. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Flood, floods, growthOf, heldAfter } from './floods.js';
import { Mutations } from './mutating.js';
import { HELP, readOptions } from './options.js';
import { run } from './running.js';
import { shrunk } from './shrinking.js';
import { formatStory, parseStory, type Story } from './story.js';

const CORPUS = fileURLToPath(new URL('../corpus/', import.meta.url));
const CRASHES = fileURLToPath(new URL('../crashes/', import.meta.url));

const values = readOptions(process.argv.slice(2));

function replay(file: string): void {
  const { fault, seen } = run(parseStory(readFileSync(file, 'utf8')));
  console.log([...seen].join('\n'));
  console.log(fault ?? 'No fault');
  if (fault !== undefined) process.exitCode = 1;
}

function fuzz(seconds: number, seed: number): void {
  console.log(`seed ${seed}, ${seconds} s`);
  const end = Date.now() + seconds * 1_000;
  const mutations = new Mutations(seed);
  const { stories, seen, faults } = mutate(
    mutations,
    values.flood === undefined ? Date.now() + seconds * 500 : 0,
  );
  console.log(`${stories} stories led to ${seen} places`);
  faults.push(...pourAll(mutations, end));
  console.log(`${faults.length} faults`);
  if (faults.length > 0) process.exitCode = 1;
}

/** Until then: new stories of those that are known. One that leads to a new place is known from then on. */
function mutate(mutations: Mutations, until: number) {
  const known: Story[] = readdirSync(CORPUS).map((file) => parseStory(readFileSync(CORPUS + file, 'utf8')));
  const seen = new Set<string>(known.flatMap((story) => placesOf(story, run(story).seen)));
  const faults: string[] = [];
  let stories = 0;
  for (; Date.now() < until && faults.length < 10; stories++) {
    const isNew = known.length < 10 || mutations.random(4) === 0;
    const story = isNew ? mutations.story() : mutations.changed(mutations.pick(known), mutations.pick(known));
    const outcome = run(story);
    if (outcome.fault !== undefined) faults.push(store(story, outcome.fault));
    const places = placesOf(story, outcome.seen).filter((place) => !seen.has(place));
    if (places.length === 0) continue;
    for (const place of places) seen.add(place);
    known.push(story);
    if (values.keep !== undefined) {
      mkdirSync(values.keep, { recursive: true });
      writeFileSync(
        `${values.keep}/${nameOf(story)}-${known.length}.txt`,
        formatStory(story, `Leads to ${places.join(', ')}`),
      );
    }
  }
  return { stories, seen: seen.size, faults };
}

const placesOf = ({ end }: Story, seen: ReadonlySet<string>): string[] =>
  [...seen].map((place) => `${end}: ${place}`);
const nameOf = ({ end, mode, state }: Story): string => `${end}-${mode}-${state.split('.').at(-1)}`;

/** As a file that `--replay` takes. */
function store(story: Story, fault: string): string {
  mkdirSync(CRASHES, { recursive: true });
  const file = `${CRASHES}${nameOf(story)}-${Date.now()}.txt`;
  writeFileSync(file, formatStory(shrunk(story), fault.split('\n')[0] ?? ''));
  console.error(`${fault}\nStored: npm run fuzz -- --replay ${file}`);
  return file;
}

/** What a session may hold: its recipients and buffers, and what V8 keeps for itself. */
const MOST_HELD = 4 * 1024 * 1024;

const FLOODS = [16 * 1024, 1024 * 1024, 10 * 1024 * 1024];

/** From small to large, in any order, as far as the time goes. */
function pourAll({ random }: Mutations, until: number): readonly string[] {
  const faults: string[] = [];
  const chosen = floods.filter(({ name }) => values.flood === undefined || name.includes(values.flood));
  for (const octets of values.octets === undefined ? FLOODS : [values.octets]) {
    let poured = 0;
    const order = new Map(chosen.map((flood) => [flood, random(1_000_000)]));
    for (const flood of chosen.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0))) {
      if (Date.now() > until) break;
      poured++;
      const begin = Date.now();
      faults.push(...faultsOf(flood, octets));
      // Where floods were asked for, each takes long enough to be told.
      const took = Math.round((Date.now() - begin) / 1000);
      if (values.flood !== undefined) console.log(`${flood.end}: ${flood.name}, ${octets} octets: ${took} s`);
    }
    if (poured > 0) console.log(`${poured} of ${chosen.length} floods of ${octets} octets`);
  }
  return faults;
}

function faultsOf(flood: Flood, octets: number): readonly string[] {
  const name = `${flood.end}: ${flood.name}, ${octets} octets`;
  const growth = growthOf(flood, octets);
  const held = heldAfter(flood, octets);
  const faults = [
    ...(growth > 32 ? [`${name}: ${growth.toFixed(1)} times as long as a sixteenth of it`] : []),
    ...(held > MOST_HELD ? [`${name}: ${held} octets are held`] : []),
  ];
  for (const fault of faults) console.error(fault);
  return faults;
}

if (values.help) console.log(HELP);
else if (values.replay !== undefined) replay(values.replay);
else fuzz(values.seconds, values.seed);
