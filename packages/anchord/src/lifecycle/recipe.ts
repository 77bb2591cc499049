/** The service-anchor that a network-anchor makes: what it is to be like, and whether one is like that. */
import { createHash } from 'node:crypto';
import type { Containers } from '@berth/engine';
import type { LifeContainer } from './observe.ts';

/** As it is configured. */
export interface Recipe {
  readonly target: string;
  readonly name: string;
  readonly image: string | undefined;
  readonly gatewayIp: string | undefined;
  readonly extraEnv: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
}

/** What only a look at ourselves tells. */
export interface Self {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly imageId: string;
  /** Our own addresses on the shared network, as service-anchors take them. */
  readonly gateway: string | undefined;
  /** No backend has confirmed yet that this is the shared network: good enough to begin with, not to change anything. */
  readonly gatewayIsGuess: boolean;
}

/** With everything filled in. */
export interface Spec {
  readonly name: string;
  readonly target: string;
  readonly image: string;
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** The image is the operator's choice. */
  readonly imageIsPinned: boolean;
  readonly gatewayIsGuess: boolean;
}

export const managedLabels = {
  managedBy: 'anchord.managed-by',
  owner: 'anchord.managed-by.container',
  recipe: 'anchord.managed-by.recipe',
} as const;

export const isManaged = ({ labels }: Pick<LifeContainer, 'labels'>): boolean =>
  labels[managedLabels.managedBy] === 'f45';

const gatewayKey = 'ANCHORD_GATEWAY_IP';

/** Why it can not be said what is to be made, or what is. */
export function specOf(recipe: Recipe, self: Self): Spec | string {
  const image = recipe.image ?? self.image;
  if (image === '') return 'our own container tells no image';
  const gateway = recipe.gatewayIp ?? self.gateway;
  if (gateway === undefined) return 'we have no address on the shared network';
  const env = new Map([
    ['ANCHORD_MODE', 'service-anchor'],
    [gatewayKey, gateway],
    ['ANCHORD_LOG_LEVEL', 'info'],
    ...recipe.extraEnv,
  ]);
  const pairs = [...env].map(([key, value]) => `${key}=${value}`).sort();
  const labels = Object.fromEntries(recipe.labels);
  return {
    name: recipe.name,
    target: recipe.target,
    image,
    env: pairs,
    labels: {
      ...labels,
      [managedLabels.managedBy]: 'f45',
      [managedLabels.owner]: self.name,
      [managedLabels.recipe]: fingerprint(pairs, labels, recipe.image),
    },
    imageIsPinned: recipe.image !== undefined,
    gatewayIsGuess: recipe.gatewayIp === undefined && self.gatewayIsGuess,
  };
}

function fingerprint(
  env: readonly string[],
  labels: Readonly<Record<string, string>>,
  image: string | undefined,
): string {
  const text = JSON.stringify([withoutGateway(env), Object.entries(labels).sort(), image ?? '']);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The gateway has a check of its own, and may be a guess. */
const withoutGateway = (env: readonly string[]): readonly string[] =>
  env.filter((pair) => !pair.startsWith(`${gatewayKey}=`));

/** Whether it leads elsewhere than it should. */
export const gatewayDiffers = ({ look }: LifeContainer, { env }: Spec): boolean =>
  look !== undefined &&
  !env.filter((pair) => pair.startsWith(`${gatewayKey}=`)).every((pair) => look.env.includes(pair));

/** Whether it was made by another recipe. One that another anchor program made carries no fingerprint. */
export function recipeDiffers({ labels, look }: LifeContainer, spec: Spec): boolean {
  const made = labels[managedLabels.recipe];
  if (made !== undefined) return made !== spec.labels[managedLabels.recipe];
  const own: readonly string[] = Object.values(managedLabels);
  const lacksLabel = Object.entries(spec.labels).some(
    ([key, value]) => !own.includes(key) && labels[key] !== value,
  );
  return (
    lacksLabel || (look !== undefined && withoutGateway(spec.env).some((pair) => !look.env.includes(pair)))
  );
}

type CreateRequest = Parameters<Containers['create']>[0];

export const requestOf = (spec: Spec): CreateRequest => ({
  Image: spec.image,
  Env: [...spec.env],
  Labels: { ...spec.labels },
  HostConfig: {
    NetworkMode: `container:${spec.target}`,
    CapAdd: ['NET_ADMIN'],
    RestartPolicy: { Name: 'unless-stopped' },
  },
});
