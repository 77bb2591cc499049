/** What `up` writes down about a lab, so that other processes can open it by its name. */
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { type LabName, labName, runFolder, runRoot } from './names.ts';
import type { LabSpec } from './spec.ts';
import type { ProcessRecord } from './tools/proc.ts';

const processRecord = z.object({ pid: z.number(), startTime: z.string(), bootId: z.string() });

const labSpec: z.ZodMiniType<LabSpec> = z.object({
  hosts: z.array(
    z.object({ name: z.templateLiteral(['host', z.number()]), engine: z.enum(['20.10', '26']) }),
  ),
  clients: z.number(),
  internet: z.boolean(),
  lan: z.object({
    v4: z.string(),
    v6: z.string(),
    dhcp: z.union([
      z.literal(false),
      z.object({
        v4: z.boolean(),
        v6: z.enum(['stateful', 'stateless', 'slaac', 'none']),
        leaseSeconds: z.number(),
        renewSeconds: z.exactOptional(z.number()),
        rebindSeconds: z.exactOptional(z.number()),
      }),
    ]),
  }),
});

const description: z.ZodMiniType<Description> = z.object({
  spec: labSpec,
  /** The run that the lab belongs to and ends with; a lab made by hand has none. */
  owner: z.exactOptional(processRecord),
  /** Written as `false` before the first thing is made: a lab that says so was never finished. */
  complete: z.boolean(),
});

export interface Description {
  readonly spec: LabSpec;
  readonly owner?: ProcessRecord;
  readonly complete: boolean;
}

const fileOf = (lab: LabName): string => join(runFolder(lab), 'lab.json');

export async function writeDescription(lab: LabName, value: Description): Promise<void> {
  const file = fileOf(lab);
  await mkdir(runFolder(lab), { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(value, undefined, 2)}\n`);
  await rename(`${file}.new`, file);
}

/** Undefined where there is none; one that cannot be read counts as one that was never finished. */
export async function readDescription(lab: LabName): Promise<Description | 'unreadable' | undefined> {
  let text: string;
  try {
    text = await readFile(fileOf(lab), 'utf8');
  } catch {
    return undefined;
  }
  try {
    return description.parse(JSON.parse(text));
  } catch {
    return 'unreadable';
  }
}

/** The names of all labs that left a folder, finished or not. */
export async function labNames(): Promise<LabName[]> {
  const names = await readdir(runRoot).catch((): string[] => []);
  return names.flatMap((name) => {
    try {
      return [labName(name)];
    } catch {
      return [];
    }
  });
}
