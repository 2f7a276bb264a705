using System.Globalization;
using Amalgam.Fuzz;

// Opens mutated files with every reader: each must give a result or a refusal, soon, and in little memory. Cases run in child processes, so that a crash is
// seen and told from the others. A case is a function of (seed, kind, number) and the seed files.
const string Usage = "usage: Amalgam.Fuzz [--cases N] [--seed S] [--kind K] [--jobs J] [--keep FOLDER], or --bombs; kinds: ";
if (args is ["child", ..])
{
    Child.Run(args[1], args[2], long.Parse(args[3], CultureInfo.InvariantCulture), int.Parse(args[4], CultureInfo.InvariantCulture), int.Parse(args[5], CultureInfo.InvariantCulture));
    return 0;
}

if (args is ["bomb", string bomb])
{
    Bombs.Open(bomb);
    return 0;
}

if (args is ["--bombs"]) return Bombs.Run();
Dictionary<string, string> options = [];
for (int i = 0; i + 1 < args.Length; i += 2) options[args[i]] = args[i + 1];
string[] known = ["--cases", "--seed", "--kind", "--jobs", "--keep"];
if (args.Length % 2 != 0 || options.Keys.Any(o => !known.Contains(o)) || !SeedFiles.Kinds.Contains(options.GetValueOrDefault("--kind", SeedFiles.Kinds[0])))
{
    Console.Error.WriteLine(Usage + string.Join(", ", SeedFiles.Kinds));
    return 2;
}

int Number(string name, int otherwise) => options.TryGetValue(name, out string? text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
return new Parent(Number("--cases", 100_000), Number("--seed", 1), options.GetValueOrDefault("--kind"), Number("--jobs", Environment.ProcessorCount), options.GetValueOrDefault("--keep", "fuzz-failures")).Run();
