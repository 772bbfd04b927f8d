# An image of the packed package, `npm pack`'s or npm's own: docs/docker.md has the commands.
#   --build-arg DEVICE=cpu    Node and the package (the default)
#   --build-arg DEVICE=cuda   the same on CUDA 12 with cuDNN 9
ARG DEVICE=cpu
ARG NODE=22

FROM node:${NODE}-bookworm-slim AS cpu
FROM nvidia/cuda:12.6.3-cudnn-runtime-ubuntu22.04 AS cuda

FROM cpu AS package
COPY fer-cudnn-*.tgz /tmp/fer-cudnn.tgz
RUN npm install --global --ignore-scripts --no-audit --no-fund /tmp/fer-cudnn.tgz

FROM ${DEVICE}
COPY --from=package /usr/local/bin/node /usr/local/bin/
COPY --from=package /usr/local/lib/node_modules/fer-cudnn /usr/local/lib/node_modules/fer-cudnn
# Any user may run it (docker run --user), with or without a home; a volume takes over the mode of the folder it lies on.
RUN ln -s ../lib/node_modules/fer-cudnn/dist/cli/main.js /usr/local/bin/fer-cudnn && install --directory --mode=1777 /data /tmp/fer-cudnn
ENV FER_CACHE_DIR=/tmp/fer-cudnn
USER 1000
WORKDIR /data
ENTRYPOINT ["fer-cudnn"]
CMD ["--help"]
