package coop.sahkar.worker.llama;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** The C functions about samplers. A sampler belongs to one thread. */
final class SamplerCalls {
    private final LlamaAbi abi;
    private final MethodHandle free;
    private final MethodHandle apply;
    private final MethodHandle accept;
    private final MethodHandle reset;
    private final MethodHandle logitBias;
    private final MethodHandle topK;
    private final MethodHandle topP;
    private final MethodHandle minP;
    private final MethodHandle typical;
    private final MethodHandle temperature;
    private final MethodHandle grammar;

    SamplerCalls(Symbols symbols, LlamaAbi abi) {
        this.abi = abi;
        free = symbols.ofVoid("llama_sampler_free", ADDRESS);
        apply = symbols.ofVoid("llama_sampler_apply", ADDRESS, ADDRESS);
        accept = symbols.ofVoid("llama_sampler_accept", ADDRESS, JAVA_INT);
        reset = symbols.ofVoid("llama_sampler_reset", ADDRESS);
        logitBias =
                symbols.of("llama_sampler_init_logit_bias", ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);
        topK = symbols.of("llama_sampler_init_top_k", ADDRESS, JAVA_INT);
        topP = symbols.of("llama_sampler_init_top_p", ADDRESS, JAVA_FLOAT, JAVA_LONG);
        minP = symbols.of("llama_sampler_init_min_p", ADDRESS, JAVA_FLOAT, JAVA_LONG);
        typical = symbols.of("llama_sampler_init_typical", ADDRESS, JAVA_FLOAT, JAVA_LONG);
        temperature = symbols.of("llama_sampler_init_temp", ADDRESS, JAVA_FLOAT);
        grammar = symbols.of("llama_sampler_init_grammar", ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    }

    void free(MemorySegment sampler) {
        try {
            free.invokeExact(sampler);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    void apply(MemorySegment sampler, MemorySegment candidates) {
        try {
            apply.invokeExact(sampler, candidates);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    void accept(MemorySegment sampler, int token) {
        try {
            accept.invokeExact(sampler, token);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    void reset(MemorySegment sampler) {
        try {
            reset.invokeExact(sampler);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /**
     * @param entries {@code count} pairs of a token (i32) and what is added to its logit (f32)
     */
    MemorySegment logitBias(int vocabulary, int count, MemorySegment entries) {
        try {
            return (MemorySegment) logitBias.invokeExact(vocabulary, count, entries);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    MemorySegment penalties(
            int vocabulary, int window, float repetition, float frequency, float presence) {
        return abi.penalties(vocabulary, window, repetition, frequency, presence);
    }

    MemorySegment topK(int k) {
        try {
            return (MemorySegment) topK.invokeExact(k);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    MemorySegment topP(float p) {
        return atLeastOne(topP, p);
    }

    MemorySegment minP(float p) {
        return atLeastOne(minP, p);
    }

    MemorySegment typical(float p) {
        return atLeastOne(typical, p);
    }

    /** These take the number of candidates to keep in any case. */
    private static MemorySegment atLeastOne(MethodHandle init, float p) {
        try {
            return (MemorySegment) init.invokeExact(p, 1L);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    /**
     * Allows what a grammar allows.
     *
     * @param text GBNF, as a C string
     * @param root name of the rule to begin with, as a C string
     * @return null's address if it is no grammar
     */
    MemorySegment grammar(MemorySegment vocabulary, MemorySegment text, MemorySegment root) {
        try {
            return (MemorySegment) grammar.invokeExact(vocabulary, text, root);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }

    MemorySegment temperature(float temperature) {
        try {
            return (MemorySegment) this.temperature.invokeExact(temperature);
        } catch (Throwable t) {
            throw Symbols.broken(t);
        }
    }
}
