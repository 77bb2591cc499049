# The images of Berth. Needs no BuildKit:
#
#   docker build -t anchord:dev .
#   docker build --target docker-backend -t docker-backend:dev .
#
# Each image holds one program, the pinned Node, the libraries that these are linked with, and nothing else: no shell, no
# package manager. The anchord image also has nft, ip and conntrack, for operators who look at what anchord did; anchord
# itself does not run them. The docker-backend image has the tools of the quota file systems, which it does run.

FROM debian:bookworm-slim AS build
# A layer that is thrown away needs no fsync after each file.
RUN echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe-io \
 && apt-get -qq update \
 && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
      binutils btrfs-progs ca-certificates conntrack iproute2 libatomic1 netbase nftables npm xfsprogs >/dev/null \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY packages/anchord/package.json packages/anchord/
COPY packages/backend/package.json packages/backend/
COPY packages/dhcp/package.json packages/dhcp/
COPY packages/engine/package.json packages/engine/
COPY packages/kernel/package.json packages/kernel/
COPY packages/service/package.json packages/service/
COPY bench/package.json bench/
COPY lab/package.json lab/
COPY test/package.json test/
COPY scripts/bootstrap.mjs scripts/install.mjs scripts/
# Debian's npm only fetches; everything after it runs on the pinned Node.
RUN node scripts/bootstrap.mjs
COPY scripts scripts
COPY packages packages
ARG VERSION=
ARG COMMIT=
RUN BERTH_VERSION="$VERSION" BERTH_COMMIT="$COMMIT" node_modules/.bin/node scripts/build.ts \
 && node_modules/.bin/node scripts/image-root.ts anchord /image/anchord /usr/sbin/nft /usr/sbin/ip /usr/sbin/conntrack \
 && node_modules/.bin/node scripts/image-root.ts docker-backend /image/docker-backend /usr/bin/btrfs /usr/sbin/xfs_quota

FROM scratch AS docker-backend
ARG VERSION=dev
ARG COMMIT=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="docker-backend" \
      org.opencontainers.image.description="Hardened containers for tenants, leased by the provider daemon" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT"
COPY --from=build /image/docker-backend /
ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin
# Relative paths of the stores end up here.
WORKDIR /var/lib/docker-backend
ENTRYPOINT ["/usr/local/bin/node", "/usr/lib/docker-backend/main.mjs"]
CMD ["-config", "/etc/docker-backend/docker-backend.yaml"]

# The last stage is what a build without --target makes.
FROM scratch AS anchord
ARG VERSION=dev
ARG COMMIT=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="anchord" \
      org.opencontainers.image.description="One LAN address of its own for a Docker Compose project" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT"
COPY --from=build /image/anchord /
ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=1", "--single-threaded-gc", "/usr/lib/anchord/main.mjs"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/usr/local/bin/node", "/usr/lib/anchord/main.mjs", "health"]
