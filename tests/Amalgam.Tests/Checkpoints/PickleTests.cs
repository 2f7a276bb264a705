using Amalgam.Checkpoints;

namespace Amalgam.Tests.Checkpoints;

public class PickleTests
{
    private const int Million = 100_000;

    /// <summary>A pickle, and what the message says.</summary>
    public static TheoryData<byte[], string> Refusals => new()
    {
        { new PickleBytes().Global("os", "system").Text("true").Op(0x85, 'R').Stop(), "it refers to 'os.system'" },
        { new PickleBytes().Text("builtins").Text("eval").Op(0x93).Stop(), "it refers to 'builtins.eval'" },
        { new PickleBytes().Op('}').Text("args").Global("argparse", "Namespace").Op('s').Stop(), "it refers to 'argparse.Namespace'" },
        { new PickleBytes().Global("torch", "_utils._rebuild_tensor_v2.__globals__").Stop(), "it refers to" },
        { new PickleBytes().Global("os\x1b[2J", "system").Stop(), "a class's name is not short and plain" },
        { new PickleBytes().Global(new('a', 300), "b").Stop(), "a class's name is not short and plain" },
        { new PickleBytes().Op('(', 'i').Raw("os\nsystem\n"u8).Stop(), "opcode 0x69" },
        { new PickleBytes().Op('(', 'o').Stop(), "opcode 0x6f" },
        { new PickleBytes().Op(0x82, 1).Stop(), "opcode 0x82" },
        { new PickleBytes().Op('P').Raw("x\n"u8).Stop(), "opcode 0x50" },
        { new PickleBytes().Global("collections", "OrderedDict").Op(')', 0x81).Stop(), "it makes an object of 'collections.OrderedDict'" },
        { new PickleBytes().Text("x").Op(')', 'R').Stop(), "a call is not one of a named function" },
        { new PickleBytes().Global("torch", "Size").Op(')', 'R', '}', 'b').Stop(), "sets the state of something else" },
        { new PickleBytes().Op(0x80, 9).Stop(), "it is of protocol 9" },
        { new PickleBytes().Op('a').Stop(), "appends to what is not a list" },
        { new PickleBytes().Op('N', 0x87).Stop(), "too short for a tuple" },
        { new PickleBytes().Op(']', '(', 'N', 'a').Stop(), "appends to what is not a list" },
        { new PickleBytes().Stop(), "it takes a value of an empty stack" },
        { new PickleBytes().Op('N', 'N').Stop(), "1 values are left over" },
        { new PickleBytes().Op('N', '(', 'N').Stop(), "left over" },
        { new PickleBytes().Op('t').Stop(), "ends a group that was not begun" },
        { new PickleBytes().Op('h', 5).Stop(), "it recalls value 5" },
        { new PickleBytes().Op('q', 5).Stop(), "remembers a value of an empty stack" },
        { new PickleBytes().Op('}', '(', 'N', 'u').Stop(), "a key that has no value" },
        { new PickleBytes().Op(']', 'N', 'N', 's').Stop(), "sets an item of what is not a dict" },
        { new PickleBytes().Op(0x8b).UInt32(int.MaxValue).Stop(), "a number takes 2147483647 bytes" },
        { new PickleBytes().Op('X').UInt32(uint.MaxValue).Stop(), "a value claims 4294967295 bytes" },
        { new PickleBytes().Op(0x8d).UInt32(0).UInt32(uint.MaxValue).Stop(), "a value claims 18446744069414584320 bytes" },
        { new PickleBytes().Op('N').Stop()[..^1], "without a STOP" },
        { new PickleBytes().Op('J', 1).Stop()[..^1], "a value claims 4 bytes, 1 are left" },
        { new PickleBytes().Op('X').UInt32(1).Op(0xff).Stop(), "a text is not UTF-8" },
        { new PickleBytes().Global("collections", "OrderedDict").Op(']', 'N', 'a', 0x85, 'R').Stop(), "not made of a list of pairs" },
    };

    /// <summary>A few bytes of a pickle make objects of many, which must not add up to far more than the file.</summary>
    [Theory]
    [InlineData("N")]
    [InlineData("]")]
    [InlineData("}")]
    [InlineData("(")]
    [InlineData("()")]
    [InlineData(")")]
    [InlineData("]\u0094")]
    [InlineData("}\u0094")]
    [InlineData("K\u0001")]
    [InlineData("X\0\0\0\0")]
    [InlineData("U\u0001a")]
    [InlineData("NQ")]
    [InlineData("]\u0085")]
    [InlineData("\u008a\u0009\u0001\u0001\u0001\u0001\u0001\u0001\u0001\u0001\u0001")]
    [InlineData("ccollections\nOrderedDict\n)R")]
    public void A_flood_of_small_values_takes_no_more_memory_than_twice_the_file(string flood)
    {
        using TemporaryFolder folder = new();
        byte[] bytes = [.. Enumerable.Repeat(System.Text.Encoding.Latin1.GetBytes(flood), (4 << 20) / flood.Length).SelectMany(b => b)];
        File.WriteAllBytes(folder["flood.bin"], bytes);
        using FileStorage storage = new(folder["flood.bin"]);
        Pickle pickle = new(storage, 0, storage.Length, PyTorchObjects.Allowed, why => new(why));

        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(pickle.Read);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2 * storage.Length + (24 << 20));
    }

    [Theory, MemberData(nameof(Refusals))]
    public void Refuses(byte[] pickle, string phrase) =>
        Assert.Contains(phrase, Assert.Throws<InvalidDataException>(() => Read(pickle)).Message, StringComparison.Ordinal);

    [Fact]
    public void Reads_data_of_protocol_2()
    {
        byte[] pickle = new PickleBytes().Op('}', 'q', 0, '(')
            .Text("none").Op('N').Text("true").Op(0x88).Text("int").Op('J', 0xfe, 0xff, 0xff, 0xff).Text("byte").Op('K', 200).Text("short").Op('M', 1, 2)
            .Text("float").Op('G', 0x3f, 0xe0, 0, 0, 0, 0, 0, 0).Text("tuple").Op(')').Text("list").Op(']', '(', 'N', 'N', 'e')
            .Op('u').Stop();
        var dict = Assert.IsType<PickleDict>(Read(pickle));
        Assert.Equal(["none", "true", "int", "byte", "short", "float", "tuple", "list"], dict.Entries.Select(e => e.Key));
        Assert.Equal([null, true, -2L, 200L, 513L, 0.5], dict.Entries.Take(6).Select(e => e.Value));
        Assert.Equal(2, Assert.IsType<List<object?>>(dict.Find("list")).Count);
    }

    [Fact]
    public void Reads_data_of_protocol_4()
    {
        byte[] pickle = new PickleBytes().Op(0x80, 4, 0x95).UInt32(99).UInt32(0).Op(0x8c, 11).Raw("collections"u8).Op(0x94, 0x8c, 11).Raw("OrderedDict"u8).Op(0x93, ')', 'R')
            .Op(0x8c, 1, 'k', 0x8f, '(', 'h', 0, 0x90, 's').Stop();
        var dict = Assert.IsType<PickleDict>(Read(pickle));
        Assert.Equal("collections", Assert.Single(Assert.IsType<List<object?>>(dict.Find("k"))));
    }

    [Fact]
    public void Reads_ordered_dicts_of_pairs_and_their_metadata()
    {
        byte[] pickle = new PickleBytes().Global("collections", "OrderedDict").Op(']').Text("k").Op('K', 1, 0x86, 'a', 0x85, 'R', '}', 'b').Stop();
        Assert.Equal(1L, Assert.IsType<PickleDict>(Read(pickle)).Find("k"));
    }

    [Fact]
    public void Reads_deeply_nested_lists_without_recursion()
    {
        PickleBytes pickle = new();
        for (int i = 0; i < Million; i++) pickle.Op(']');
        for (int i = 1; i < Million; i++) pickle.Op('a');
        Assert.IsType<List<object?>>(Read(pickle.Stop()));
    }

    [Fact]
    public void Reads_a_list_that_holds_itself()
    {
        var list = Assert.IsType<List<object?>>(Read(new PickleBytes().Op(']', 'q', 0, 'h', 0, 'a').Stop()));
        Assert.Same(list, Assert.Single(list));
    }

    [Fact]
    public void Refuses_small_pickles_that_unpack_to_much()
    {
        PickleBytes marks = new(), copies = new();
        for (int i = 0; i < 4 * Million; i++) marks.Op(']');
        Assert.Contains("unpacks to far more", Assert.Throws<InvalidDataException>(() => Read(marks.Stop())).Message, StringComparison.Ordinal);

        copies.Op(']', 'q', 0, '(');
        for (int i = 0; i < 10_000; i++) copies.Op('N', 'N', 0x86);
        copies.Op('e').Global("collections", "OrderedDict").Op('q', 1);
        for (int i = 0; i < 10_000; i++) copies.Op('h', 1, 'h', 0, 0x85, 'R');
        Assert.Contains("unpacks to far more", Assert.Throws<InvalidDataException>(() => Read(copies.Stop())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reads_or_refuses_random_opcodes()
    {
        byte[] opcodes = [.. "(NJKMGXUTCB)t]aesu}qrhjcRbQ"u8, 0x80, 0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8f, 0x90, 0x93, 0x94, 0x95];
        using TemporaryFolder folder = new();
        for (int seed = 0; seed < 1000; seed++)
        {
            Random random = new(seed);
            PickleBytes pickle = new PickleBytes().Op(']', 'q', 0, '}', 'q', 1, ')', 'q', 2).Global("collections", "OrderedDict").Op('q', 3);
            for (int i = random.Next(60); i > 0; i--)
            {
                if (random.Next(3) == 0) pickle.Op('h', random.Next(5));
                pickle.Op(opcodes[random.Next(opcodes.Length)]);
            }

            try
            {
                Read(pickle.Stop(), folder["x.pkl"]);
            }
            catch (InvalidDataException)
            {
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed} gave {e}");
            }
        }
    }

    private static object? Read(byte[] pickle)
    {
        using TemporaryFolder folder = new();
        return Read(pickle, folder["x.pkl"]);
    }

    private static object? Read(byte[] pickle, string path)
    {
        File.WriteAllBytes(path, pickle);
        using FileStorage storage = new(path);
        return new Pickle(storage, 0, storage.Length, PyTorchObjects.Allowed, why => new(why)).Read();
    }
}
