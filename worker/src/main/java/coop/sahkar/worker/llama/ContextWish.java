package coop.sahkar.worker.llama;

import java.lang.foreign.MemorySegment;

/**
 * What a context is opened with.
 *
 * @param hiddenStates whether hidden states come out instead of logits
 * @param evalCallback the {@code cb_eval} function, or NULL
 * @param gpu whether KV and other tensors may live on a GPU
 */
record ContextWish(
        StageOptions options, boolean hiddenStates, MemorySegment evalCallback, boolean gpu) {}
