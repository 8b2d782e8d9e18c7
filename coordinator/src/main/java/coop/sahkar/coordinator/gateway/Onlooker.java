package coop.sahkar.coordinator.gateway;

import coop.sahkar.proto.v1.GenerationEvent;

/**
 * Stands between a run and its reader and hands on all that happens; whoever extends it looks at
 * what concerns it before it does so.
 */
abstract class Onlooker implements GenerationListener {
    private final GenerationListener reader;

    Onlooker(GenerationListener reader) {
        this.reader = reader;
    }

    @Override
    public void begun(GenerationRun run) {
        reader.begun(run);
    }

    @Override
    public void event(GenerationEvent event) {
        reader.event(event);
    }

    @Override
    public void waiting(long millis) {
        reader.waiting(millis);
    }

    @Override
    public void abandoned() {
        reader.abandoned();
    }
}
