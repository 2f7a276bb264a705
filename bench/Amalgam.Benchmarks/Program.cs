using Amalgam.Benchmarks;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

// generate writes the checkpoints that bench/merge-speed.sh times; anything else goes to BenchmarkDotNet.
if (args is ["generate", var folder, var size, ..])
{
    CheckpointGenerator.Run(folder, long.Parse(size), args.Length > 3 ? int.Parse(args[3]) : 0);
    return;
}

// Ratios to a peer in one run, where a table says more than one class of benchmarks.
if (args is ["gemm"])
{
    GemmBench.Run();
    return;
}

if (args is ["conv", ..])
{
    ConvolutionBench.Run(args.Length > 1 ? int.Parse(args[1]) : 128);
    return;
}

// training CASE [STEPS] [profile] prints samples per second of a training step, for bench/training-speed.sh.
if (args is ["training", var name, .. var more])
{
    TrainingSpeed.Run(name, more.Length > 0 && int.TryParse(more[0], out int steps) ? steps : null, more.Contains("profile"));
    return;
}

// din FILE rows|groups BATCH [MODEL [STEPS [THREADS]]] [profile] prints items per second of a training step, din-eval FILE [MODEL [THREADS]] seconds of an evaluation; for bench/din-speed.sh.
if (args is ["din" or "din-eval", var sequences, .. var rest])
{
    string Word(int at, string otherwise) => rest.Length > at ? rest[at] : otherwise;
    int Number(int at, int otherwise) => rest.Length > at && int.TryParse(rest[at], out int number) ? number : otherwise;
    if (args[0] == "din") DinSpeed.Run(sequences, rest[0], int.Parse(rest[1]), Word(2, "din"), Number(3, 200), Number(4, Environment.ProcessorCount), rest.Contains("profile"));
    else DinSpeed.Evaluate(sequences, Word(0, "din"), Number(1, Environment.ProcessorCount));
    return;
}

// inference MODEL [THREADS] [profile] prints milliseconds of a run, write-bert FILE makes a model for it; for bench/inference-speed.sh.
if (args is ["inference", var model, .. var how])
{
    InferenceSpeed.Run(model, how.Length > 0 && int.TryParse(how[0], out int threads) ? threads : Environment.ProcessorCount, how.Contains("profile"));
    return;
}

if (args is ["write-bert", var file])
{
    InferenceSpeed.Write(file);
    return;
}

// assignment-write FILE planted|random N makes costs, assignment FILE prints seconds of their assignment; for bench/assignment-speed.sh.
if (args is ["assignment-write", var costs, var kind, var count])
{
    AssignmentSpeed.Write(costs, kind, int.Parse(count));
    return;
}

if (args is ["assignment", var of])
{
    AssignmentSpeed.Run(of);
    return;
}

// transport-write FILE KIND ROWS COLUMNS makes costs and masses, transport FILE [ROUNDS] prints seconds of exact transport; for bench/transport-speed.sh.
if (args is ["transport-write", var made, var form, var high, var wide])
{
    TransportSpeed.Write(made, form, int.Parse(high), int.Parse(wide));
    return;
}

if (args is ["transport", var problem, .. var rounds])
{
    TransportSpeed.Run(problem, rounds.Length > 0 ? int.Parse(rounds[0]) : 15);
    return;
}

// statistics MODEL MODEL [IMAGES [RUNS [all]]] prints the time of activation statistics over that of plain runs of both ONNX models on CIFAR-10's images.
if (args is ["statistics", var one, var other, .. var counts])
{
    StatisticsSpeed.Run(one, other, counts.Length > 0 ? int.Parse(counts[0]) : 5000, counts.Length > 1 ? int.Parse(counts[1]) : 5, counts.Contains("all"));
    return;
}

// layers [DEEP SHALLOW [IMAGES [RUNS]]] prints the time of CKA of all layers of two architectures over that of plain runs of both on CIFAR-10's images.
if (args is ["layers", .. var pairOf])
{
    LayersSpeed.Run(pairOf.Length > 1 ? pairOf[0] : "resnet34", pairOf.Length > 1 ? pairOf[1] : "resnet18", pairOf.Length > 2 ? int.Parse(pairOf[2]) : 400, pairOf.Length > 3 ? int.Parse(pairOf[3]) : 3);
    return;
}

// joint [RESNET MOBILENET [CYCLE [STEPS [RUNS]]]] prints the time of training two networks with transfers of parameters over that of training both alone on CIFAR-10's images.
if (args is ["joint", .. var taught])
{
    string Model(int at, string usual) => taught.Length > at ? taught[at] : usual;
    int Count(int at, int usual) => taught.Length > at ? int.Parse(taught[at]) : usual;
    JointSpeed.Run(Model(0, "resnet18:width=0.25"), Model(1, "mobilenetv2:width=0.25"), Count(2, 4), Count(3, 8), Count(4, 5));
    return;
}

// mudsc FOLDER METHOD ALPHA prints seconds of the phases of a merge; for bench/mudsc-speed.sh.
if (args is ["mudsc", var pair, var method, var alpha])
{
    MudscSpeed.Run(pair, method, double.Parse(alpha, System.Globalization.CultureInfo.InvariantCulture));
    return;
}

// In this process: the shared output folder of the build is not where BenchmarkDotNet's generated projects look.
var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
BenchmarkSwitcher.FromAssembly(typeof(CheckpointGenerator).Assembly).Run(args, config);
