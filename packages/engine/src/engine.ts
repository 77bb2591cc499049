import { type Clock, type Scope, systemClock } from '@berth/service';
import { type Containers, DockerContainers } from './containers/index.ts';
import { DockerEvents, type Events } from './events/index.ts';
import { type Answered, Api, type Endpoint, endpointFromEnvironment, Transport } from './http/index.ts';
import { DockerImages, type Images } from './images/index.ts';
import { DockerNetworks, type Networks } from './networks/index.ts';
import { DockerSystem, type System } from './system/index.ts';
import { DockerVolumes, type Volumes } from './volumes/index.ts';

/** Everything that can be said to one Docker engine, by noun. Whoever needs one noun takes that one. */
export interface Engine {
  readonly containers: Containers;
  readonly networks: Networks;
  readonly images: Images;
  readonly volumes: Volumes;
  readonly events: Events;
  readonly system: System;
  /** Where it is, for log lines and messages. */
  readonly address: string;
}

export interface EngineOptions {
  /** Default: what DOCKER_HOST and its companions in `env` say. */
  readonly endpoint?: Endpoint;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  /** Hears of every answer, also of refusals. */
  readonly onAnswer?: (answered: Answered) => void;
}

/** Asks nothing yet: the first call connects. What is kept open ends with the scope. */
export function connectEngine(scope: Scope, options: EngineOptions = {}): Engine {
  const { env = process.env, clock = systemClock } = options;
  const transport = new Transport(options.endpoint ?? endpointFromEnvironment(env), clock);
  scope.defer(() => transport.close());
  const api = new Api(transport, env['DOCKER_API_VERSION'], options.onAnswer);
  return {
    containers: new DockerContainers(api),
    networks: new DockerNetworks(api),
    images: new DockerImages(api),
    volumes: new DockerVolumes(api),
    events: new DockerEvents(api),
    system: new DockerSystem(api),
    address: transport.where,
  };
}
