"""The branch's devices as the agent has them: one supervised task each."""
