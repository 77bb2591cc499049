/** What a test needs of the lab that its suite runs in. */
import { inject } from 'vitest';
import { type Lab, openLab } from '../lab.ts';
import { labName } from '../names.ts';
import { Space } from './space.ts';

export { waitFor } from '../tools/wait.ts';
export { runShell } from './shells.ts';
export type { Space } from './space.ts';

/** The lab that global-setup brought up, or found. */
export const lab = (): Promise<Lab> => openLab(labName(inject('lab')));

/** `await using space = await openSpace();` at the top of a test; on another host with its name. */
export async function openSpace(host?: string): Promise<Space> {
  const found = await lab();
  return new Space(found, found.host(host));
}
