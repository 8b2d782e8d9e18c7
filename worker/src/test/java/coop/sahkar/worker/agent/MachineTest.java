package coop.sahkar.worker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class MachineTest {
    @Test
    void countsCoresAndNotTheirThreads() {
        List<String> twoCoresFourThreads =
                List.of(
                        "physical id\t: 0",
                        "core id\t\t: 0",
                        "physical id\t: 0",
                        "core id\t\t: 1",
                        "physical id\t: 0",
                        "core id\t\t: 0",
                        "physical id\t: 0",
                        "core id\t\t: 1");
        assertThat(Machine.cores(twoCoresFourThreads, 4)).isEqualTo(2);
        assertThat(Machine.cores(twoCoresFourThreads, 1)).isEqualTo(1);
        assertThat(Machine.cores(List.of(), 6)).isEqualTo(6);
    }

    @Test
    void countsCachesAsAvailable() {
        List<String> meminfo = List.of("MemTotal: 100 kB", "MemFree: 10 kB", "MemAvailable: 50 kB");
        assertThat(Machine.available(meminfo, 7)).isEqualTo(50 * 1024);
        assertThat(Machine.available(List.of(), 7)).isEqualTo(7);
    }

    @Test
    void lendsLessThanIsThere() {
        assertThat(new Machine(1000, 900, 4).sensibleMemoryBytes()).isEqualTo(600);
        assertThat(new Machine(1000, 100, 4).sensibleMemoryBytes()).isEqualTo(70);
    }
}
