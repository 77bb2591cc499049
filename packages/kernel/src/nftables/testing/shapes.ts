/** The ruleset shapes that we promise to get right: each has a golden file, and each is loaded into the real kernel. */
import type { Shape } from './shape.ts';
import { forwardShapes } from './shapes-forward.ts';
import { natShapes } from './shapes-nat.ts';
import { setShapes } from './shapes-sets.ts';
import { statementShapes } from './shapes-statements.ts';

export const shapes: readonly Shape[] = [...natShapes, ...forwardShapes, ...setShapes, ...statementShapes];
