package coop.sahkar.worker.llama;

import coop.sahkar.worker.engine.ParkedKv;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/** A sequence's state as llama.cpp writes it. Nothing but the stage that made it can read it. */
final class LlamaParkedKv implements ParkedKv {
    private static final int ALIGNMENT = 64;

    private final Arena arena = Arena.ofConfined();
    private final LlamaStage stage;
    private final int positions;
    private final MemorySegment state;

    /** With memory for so many bytes, not filled yet. */
    LlamaParkedKv(LlamaStage stage, int positions, long bytes) {
        this.stage = stage;
        this.positions = positions;
        state = arena.allocate(bytes, ALIGNMENT);
    }

    LlamaStage stage() {
        return stage;
    }

    MemorySegment state() {
        return state;
    }

    @Override
    public int positions() {
        return positions;
    }

    @Override
    public long bytes() {
        return state.byteSize();
    }

    @Override
    public ByteBuffer piece(long offset, int length) {
        byte[] copy = new byte[length];
        MemorySegment.copy(state, ValueLayout.JAVA_BYTE, offset, copy, 0, length);
        return ByteBuffer.wrap(copy).asReadOnlyBuffer();
    }

    @Override
    public void close() {
        arena.close();
    }
}
