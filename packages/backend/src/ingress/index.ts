export { customDomainProblem } from './custom-domain.ts';
export { type IngressSettings, ingressLabels, type Routed, routablePort } from './labels.ts';
export { hostName, subdomain } from './names.ts';
