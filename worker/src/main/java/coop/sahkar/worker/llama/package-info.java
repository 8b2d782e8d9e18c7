/**
 * llama.cpp behind java.lang.foreign: the only package that knows its C API. {@link
 * coop.sahkar.worker.llama.LlamaLibrary} loads it, {@link coop.sahkar.worker.llama.LlamaModel} a
 * shard, {@link coop.sahkar.worker.llama.LlamaStage} computes with it.
 */
@NullMarked
package coop.sahkar.worker.llama;

import org.jspecify.annotations.NullMarked;
