/** What a test needs of the lab that its suite runs in. */
import { inject } from 'vitest';
import { type Lab, openLab } from '../lab.ts';
import { labName } from '../names.ts';

/** The lab that global-setup brought up, or found. */
export const lab = (): Promise<Lab> => openLab(labName(inject('lab')));
