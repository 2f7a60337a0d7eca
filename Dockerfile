# One image for every service: the command says which one (deploy/services.ts).
#   docker build --build-arg COMMIT="$(git rev-parse HEAD)" --tag tapeproof .
# Node is the version of package.json; tests/image.unit.spec.ts holds this file to it and to the list of services.

FROM node:24.21.0-bookworm-slim AS page
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY dashboard dashboard
COPY proofs proofs
RUN npm run build:web -- --logLevel warn

# Without the optional packages: they bring Node and Postgres to machines that have none.
FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev --omit=optional

FROM node:24.21.0-bookworm-slim
WORKDIR /app
# npm and its siblings are not needed to run.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /opt/yarn-*
COPY --from=packages /build/node_modules node_modules
COPY . .
COPY --from=page /build/dashboard/web/dist dashboard/web/dist
# The commit that activations and metrics name: there is no git checkout inside.
ARG COMMIT
ENV NODE_ENV=production \
    TAPEPROOF_GIT_COMMIT=$COMMIT
# The one folder that may be written to, where a volume is mounted: a signing key.
RUN install -d -o 1000 -g 1000 -m 0700 /state
# Numbers, so that Kubernetes can see that it is not root. Nothing is written below /app.
USER 1000:1000
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
# While its dependencies are missing or it recovers, a process is alive but not ready.
HEALTHCHECK --interval=5s --timeout=5s --start-period=600s --start-interval=2s --retries=6 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:9464/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/tapeproof.js"]
CMD ["--help"]
