/** Tests of the binding to llama.cpp, against the real library and small real models. */
@NullMarked
package coop.sahkar.worker.llama;

import org.jspecify.annotations.NullMarked;
