/** The labels by which Compose finds what is its own. */
export const composeLabels = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  containerNumber: 'com.docker.compose.container-number',
  oneOff: 'com.docker.compose.oneoff',
  version: 'com.docker.compose.version',
  workingDir: 'com.docker.compose.project.working_dir',
  configFiles: 'com.docker.compose.project.config_files',
} as const;

export interface ComposeMembership {
  readonly project: string;
  /** Absent on what belongs to the project as a whole. */
  readonly service: string | undefined;
  readonly containerNumber: number | undefined;
  /** Made by `compose run`. */
  readonly oneOff: boolean;
}

/** What Compose says of a container; undefined where it is not Compose's. */
export function composeMembership(labels: Readonly<Record<string, string>>): ComposeMembership | undefined {
  const project = labels[composeLabels.project];
  if (project === undefined || project === '') return undefined;
  const number = labels[composeLabels.containerNumber] ?? '';
  return {
    project,
    service: labels[composeLabels.service] || undefined,
    containerNumber: /^\d+$/.test(number) ? Number(number) : undefined,
    oneOff: labels[composeLabels.oneOff]?.toLowerCase() === 'true',
  };
}
