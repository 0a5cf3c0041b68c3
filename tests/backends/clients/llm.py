"""An application that asks a language model, with Coralogix' llm-tracekit: where it sends to, and as whom, comes from its environment.

    python llm.py SERVICE APPLICATION SUBSYSTEM MODEL_URL QUESTION
"""

import sys

from llm_tracekit.core import setup_export_to_coralogix
from llm_tracekit.openai import OpenAIInstrumentor
from openai import OpenAI
from opentelemetry import trace

service, application, subsystem, model, question = sys.argv[1:]
setup_export_to_coralogix(service_name=service, application_name=application, subsystem_name=subsystem, capture_content=True)
OpenAIInstrumentor().instrument()
said = OpenAI(base_url=model, api_key="of-this-test", max_retries=0).chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": question}])
print(said.choices[0].message.content)
trace.get_tracer_provider().shutdown()
