"""What huggingface_hub reads of model cards."""

import json
import sys

from huggingface_hub import ModelCard

found = []
for path in sys.argv[1:]:
    data = ModelCard.load(path).data
    accuracy = next(result for result in data.eval_results if result.metric_type == "accuracy")
    found.append({"pipeline": data.pipeline_tag, "library": data.library_name, "dataset": accuracy.dataset_name, "accuracy": accuracy.metric_value})
print(json.dumps(found))
