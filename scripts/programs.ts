/** The programs that are released: what `npm run build` bundles and the images contain. */
export interface Program {
  readonly name: string;
  readonly entry: string;
  /** Speaks to the kernel by system calls of its own, and so needs the foreign function interface. */
  readonly native: boolean;
}

export const programs: readonly Program[] = [
  { name: 'anchord', entry: 'packages/anchord/src/main.ts', native: true },
  { name: 'docker-backend', entry: 'packages/backend/src/main.ts', native: true },
];
