"""Reads an experiment by MLflow's client."""

import json
import sys

from mlflow import artifacts
from mlflow.tracking import MlflowClient

uri, name, tags, folder = sys.argv[1:]
client = MlflowClient(uri)
runs = client.search_runs([client.get_experiment_by_name(name).experiment_id])
run = runs[0]
with open(tags, encoding="utf8") as file:
    metrics = {tag: [[each.step, each.value] for each in client.get_metric_history(run.info.run_id, tag)] for tag in json.load(file)}
model = artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="model.safetensors", dst_path=f"{folder}/back", tracking_uri=uri)
print(
    json.dumps(
        {
            "runs": len(runs),
            "metrics": metrics,
            "params": run.data.params,
            "status": run.info.status,
            "artifacts": sorted(each.path for each in client.list_artifacts(run.info.run_id)),
            "model": model,
        }
    )
)
