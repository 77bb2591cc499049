export { customDomainProblem } from './custom-domain.ts';
export { domainResolves, type GateSettings } from './dns-gate.ts';
export { type IngressSettings, ingressLabels, type Routed, routablePort } from './labels.ts';
export { hostName, subdomain } from './names.ts';
